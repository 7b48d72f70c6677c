import { blocksOf, type GroupLoad } from './group-load.ts'
import { instantText } from './instant-text.ts'
import type { JobType } from './job.ts'
import type { Place } from './place-in-line.ts'

/** What a job waits for, in one word. */
export const waitReasons = [
  /** To be handed to Temporal: no worker has sent its start yet. */
  'handover',
  /** A node's job, to be started by its workflow job. */
  'workflow',
  /** To be prepared. */
  'preparation',
  /** An update that must come first. */
  'dependency',
  /** Another job of its template, which allows one at a time. */
  'turn',
  /** The end of a pod of its run before. */
  'leftover',
  /** An API server that is away, while it has a place. */
  'cluster',
  /** A place in one of its groups. */
  'capacity',
  /** There is no group left that it may run in. */
  'no_group',
  /** Its pod, to be ready. */
  'pod',
  /** Somebody's decision. */
  'approval',
  /** To be resumed. */
  'paused',
  /** Jobs of its nodes, which wait themselves. */
  'nodes',
] as const
/** One of them. */
export type WaitReason = (typeof waitReasons)[number]

/** When a worker was last heard of. */
export interface WorkerSign {
  alive: boolean
  /** ISO; null: never. */
  seen: string | null
}

/** Everything known about a job that has not started. Instants are ISO texts. */
export interface WaitingJob {
  type: JobType
  created: string
  /** When it was ready and stood in line; null before. */
  waitingSince: string | null
  /** What it waits for besides a place, as stored: the word and the sentence; both '' for nothing. */
  waitingReason: string
  waitingText: string
  /** How many forks it counts for (model/task-impact.ts). */
  impact: number
  /** In the order in which the job prefers them. */
  groups: GroupLoad[]
  /** In the line of the group where it stands foremost; null while it stands in none. */
  place: Place | null
  /**
   * The start is not sent to Temporal yet: the last failure to send it, '' for none, where it stands among starts to be sent, and whether it rests because others stand in line before it.
   * Null once it is sent.
   */
  unsent: { lastError: string; place: number; rests: boolean } | null
  /** The workflow job that is to start it and has not. */
  startedBy: number | null
  /** When an approval expires; null: never, or it is none. */
  expires: string | null
  worker: WorkerSign
}

/** What a job waits for. */
export interface Waiting {
  reason: WaitReason
  /** ISO. */
  since: string
  /** The one sentence by which `job_explanation` tells why the job does not run yet, since when, and where it stands. */
  explanation: string
}

/** Why a job does not run yet, since when, and where it stands. */
export function explainWaiting(job: WaitingJob): Waiting {
  const reason = reasonOf(job)
  const since = job.waitingSince ?? job.created
  const sentence = `Waiting since ${instantText(since)}${what(job, reason)}`
  const helpless = !job.worker.alive && reason !== 'approval' && !job.unsent?.lastError
  return { reason, since, explanation: helpless ? `${sentence} ${noWorker(job.worker)}` : sentence }
}

/**
 * Whether a start that is not sent rests in its line, and is not just about to be sent: nothing kept it from being sent, and in each of its groups either somebody stands in line
 * before it or there is no place.
 */
export function rests(
  unsent: { lastError: string; inLine: boolean },
  groups: readonly { load: GroupLoad; standing: number }[],
  impact: number,
): boolean {
  if (!unsent.inLine || unsent.lastError || groups.length === 0) return false
  return groups.every(({ load, standing }) => standing > 0 || blocksOf(load, { impact, waitingSince: null }).length > 0)
}

/** What to say when nobody is there to do the work. */
export function noWorker({ seen }: WorkerSign): string {
  const last = seen === null ? 'none has ever been seen' : `the last one was seen at ${instantText(seen)}`
  return `No worker is running (${last}): start one with \`mayfly worker\`.`
}

function reasonOf(job: WaitingJob): WaitReason {
  if (job.type === 'workflow_approval') return 'approval'
  // One that rests waits for what those wait for that stand in line before it.
  if (job.unsent) return job.unsent.rests ? 'capacity' : 'handover'
  const stored = waitReasons.find((reason) => reason === job.waitingReason)
  if (stored) return stored
  if (job.startedBy !== null) return 'workflow'
  if (job.waitingSince === null) return 'preparation'
  return job.groups.length === 0 ? 'no_group' : 'capacity'
}

/** What stands behind `Waiting since …`. */
function what(job: WaitingJob, reason: WaitReason): string {
  switch (reason) {
    case 'approval': {
      const end = job.expires === null ? '' : `; without one it expires at ${instantText(job.expires)}`
      return ` for somebody's decision${end}.`
    }
    case 'handover':
      return ` to be handed to Temporal${handover(job.unsent)}`
    case 'workflow':
      return ` to be started by workflow_job-${job.startedBy}.`
    case 'preparation':
      return ' to be prepared.'
    case 'no_group':
      return ': no instance group is left that it may run in.'
    case 'capacity': {
      const reasons = job.groups.map((group) => `instance group '${group.name}': ${groupReason(group, job)}`)
      const { place, shared } = job.place ?? { place: 1, shared: false }
      return ` for a place in ${reasons.join('; or in ')}. Place ${shared ? 'about ' : ''}${place} in line.`
    }
    default:
      return `: ${job.waitingText || job.waitingReason}`
  }
}

function handover(unsent: WaitingJob['unsent']): string {
  if (unsent?.lastError) return `: ${unsent.lastError}`
  if (!unsent || unsent.place === 1) return '.'
  return `. Place ${unsent.place} in the outbox, whose messages are sent as fast as workers take them up.`
}

function groupReason(group: GroupLoad, job: WaitingJob): string {
  return blocksOf(group, job)[0]?.message ?? 'a place is free and about to be given'
}
