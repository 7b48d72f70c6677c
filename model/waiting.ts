/** What one group offers a waiting job just now. */
export interface WaitingGroup {
  name: string
  /** 0 for no limit. */
  maxConcurrentJobs: number
  /** Attempts that hold a place of the group. */
  running: number
  /** Why its gate admits nobody, as the gate wrote it; null while it admits. */
  brake: string | null
}

/** Everything known about a job that has not started. Instants are ISO texts. */
export interface WaitingJob {
  created: string
  /** When it was ready and stood in line; null before. */
  waitingSince: string | null
  /** What it waits for besides a place, such as `waiting for project_update-12 to finish`; '' for nothing. */
  waitingReason: string
  /** In the order in which the job prefers them. */
  groups: WaitingGroup[]
  /** Jobs that stand before it for its first group, and itself. */
  place: number
  /** The start is not sent to Temporal yet; the last failure to send it, '' for none. Null once it is sent. */
  unsent: { lastError: string } | null
}

/** The one sentence by which `job_explanation` tells why a job does not run yet, since when, and where it stands. */
export function explainWaiting(job: WaitingJob): string {
  const since = `Waiting since ${instantText(job.waitingSince ?? job.created)}`
  if (job.unsent) {
    const failure = job.unsent.lastError ? `: ${job.unsent.lastError}` : '.'
    return `${since} to be handed to Temporal${failure}`
  }
  if (job.waitingReason) return `${since}: ${job.waitingReason}`
  if (job.waitingSince === null) return `${since} to be prepared.`
  if (job.groups.length === 0) return `${since}: no instance group is left that it may run in.`
  const reasons = job.groups.map((group) => `instance group '${group.name}': ${groupReason(group)}`)
  return `${since} for a place in ${reasons.join('; or in ')}. Place ${job.place} in line.`
}

function groupReason(group: WaitingGroup): string {
  if (group.brake) return group.brake.replace(/\.$/, '')
  if (group.maxConcurrentJobs > 0 && group.running >= group.maxConcurrentJobs) {
    return `${group.running} of ${group.maxConcurrentJobs} concurrent jobs are running (max_concurrent_jobs)`
  }
  return 'a place is free and about to be given'
}

/** Seconds are enough for people: `2026-11-21T13:17:15Z`. */
function instantText(instant: string): string {
  const time = new Date(instant)
  return Number.isNaN(time.getTime()) ? instant : `${time.toISOString().slice(0, 19)}Z`
}
