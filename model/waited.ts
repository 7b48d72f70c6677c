import type { WaitReason } from './waiting.ts'

/** One thing that a job waited for, or waits for still. Instants are ISO texts. */
export interface Stage {
  reason: WaitReason
  /** What exactly; '' where the reason says it all. */
  what: string
  since: string
  /** Null while it lasts. */
  until: string | null
}

/** What is known of a job's way to its start. Instants are ISO texts. */
export interface WaitedJob {
  created: string
  /** When it was ready and stood in line; null before, and for jobs that stand in none. */
  waitingSince: string | null
  started: string | null
  finished: string | null
  /** Updates that had to come first: type and id, and when they were made and ended. */
  dependencies: { name: string; created: string; finished: string | null }[]
  /** Jobs of its template that had to end first: the last of them. */
  turn: { name: string; finished: string | null } | null
  /** First to last. */
  attempts: {
    group: string
    claimed: string
    /** When what it runs was in the pod; null before. */
    ready: string | null
    ended: string | null
    released: string | null
  }[]
}

/**
 * What a job waited for, in order, and how long: what had to come first, a place in a group, a pod; and the same again for each further attempt. Stages may
 * overlap where it waited for two things at once.
 */
export function stagesOf(job: WaitedJob): Stage[] {
  const stages: Stage[] = []
  // Where another attempt followed it is only known since when the job stands in line again.
  const [first] = job.attempts
  const inLineSince = first && job.waitingSince ? earlier(job.waitingSince, first.claimed) : job.waitingSince
  const begun = inLineSince ?? job.started ?? job.finished
  if (job.turn) stages.push(stage('turn', job.turn.name, job.created, job.turn.finished ?? begun))
  for (const { name, created, finished } of job.dependencies) {
    stages.push(stage('dependency', name, later(job.created, created), finished ?? begun))
  }
  if (stages.length === 0) stages.push(stage('preparation', '', job.created, begun))
  if (inLineSince === null) return stages
  let inLine: string | null = inLineSince
  for (const { group, claimed, ready, ended, released } of job.attempts) {
    if (inLine) stages.push(stage('capacity', group, inLine, claimed))
    stages.push(stage('pod', group, claimed, ready ?? ended ?? job.finished))
    inLine = released
  }
  const waits = job.attempts.length === 0 || (inLine !== null && job.finished === null)
  if (waits && inLine) stages.push(stage('capacity', '', inLine, job.finished))
  return stages
}

/** How long a stage lasted, or has lasted until `now` (milliseconds since the epoch), in seconds. */
export function secondsOf({ since, until }: Stage, now: number): number {
  const end = until === null ? now : Date.parse(until)
  return Math.max(0, Math.round(end - Date.parse(since)) / 1000)
}

function stage(reason: WaitReason, what: string, since: string, until: string | null): Stage {
  return { reason, what, since, until: until === null ? null : later(since, until) }
}

function later(one: string, other: string): string {
  return Date.parse(one) >= Date.parse(other) ? one : other
}

function earlier(one: string, other: string): string {
  return later(one, other) === one ? other : one
}
