/** What happens when a run is due while a job of the schedule is still active. AWX knows `allow_all` only. */
export const overlapPolicies = ['allow_all', 'skip', 'buffer_one', 'buffer_all', 'cancel_other'] as const
/** One of them. */
export type OverlapPolicy = (typeof overlapPolicies)[number]

/** Who asked for a run: the schedule's rule, or a user for an instant of the past. */
export type RunOrigin = 'rule' | 'backfill'

/**
 * What became of a run. due: to be started; waiting: for a job to end; launched: there is a job; skipped: left out by the overlap policy or by
 * AWX's limit; missed: too late; failed: the template could not be launched.
 */
export const runStates = ['due', 'waiting', 'launched', 'skipped', 'missed', 'failed'] as const
/** One of them. */
export type RunState = (typeof runStates)[number]

/** Active jobs of one template at which a schedule starts no more: AWX's SCHEDULE_MAX_JOBS. */
export const mostActiveJobs = 10
/** Runs of one schedule that may wait. */
export const mostWaitingRuns = 100

/** A run that is due, with what is going on at that moment. */
export interface RunSituation {
  origin: RunOrigin
  policy: OverlapPolicy
  /** Active jobs of this schedule, oldest first. */
  activeJobs: readonly number[]
  /** Active jobs of the template, whoever launched them. */
  activeOfTemplate: number
  /** Other runs of this schedule that wait. */
  waiting: number
  /** This one waits already, and it is its turn. */
  waits: boolean
}

/** What is to be done about a run that is due. */
export type RunDecision =
  | { act: 'launch' }
  /** `replaces`: it takes the place of runs that wait. */
  | { act: 'wait'; explanation: string; cancel: readonly number[]; replaces?: true }
  | { act: 'skip'; explanation: string }

/** Decides about a run by its schedule's overlap policy and AWX's limit. Runs of a backfill, and those that wait already, are never left out. */
export function decideRun({ origin, policy, activeJobs, activeOfTemplate, waiting, waits }: RunSituation): RunDecision {
  const crowded = activeOfTemplate >= mostActiveJobs
  const full = `${activeOfTemplate} jobs of the template are active, and ${mostActiveJobs} are allowed.`
  const [oldest] = activeJobs
  const busy = oldest === undefined ? '' : `Job ${oldest} of this schedule was still active.`
  if (origin === 'backfill' || waits) {
    if (crowded) return { act: 'wait', explanation: full, cancel: [] }
    return busy && policy !== 'allow_all' ? { act: 'wait', explanation: busy, cancel: [] } : { act: 'launch' }
  }
  const queued = waiting > 0 && (policy === 'buffer_one' || policy === 'buffer_all')
  if ((!busy && !queued) || policy === 'allow_all') {
    return crowded ? { act: 'skip', explanation: full } : { act: 'launch' }
  }
  switch (policy) {
    case 'skip':
      return { act: 'skip', explanation: busy }
    case 'buffer_one':
      return waiting > 0
        ? { act: 'skip', explanation: `${busy} Another run waits already.`.trim() }
        : { act: 'wait', explanation: busy, cancel: [] }
    case 'buffer_all':
      return waiting >= mostWaitingRuns
        ? { act: 'skip', explanation: `${waiting} runs wait already.` }
        : { act: 'wait', explanation: busy || 'Other runs wait already.', cancel: [] }
    case 'cancel_other':
      return { act: 'wait', explanation: busy, cancel: activeJobs, replaces: true }
  }
}

/** Instants that Temporal is told of at once. It is told anew when half of them are over. */
export const plannedRuns = 32

/** Whether a plan that ends at `plannedUntil` has fewer than half its instants left; `next` are the instants from now on. Seconds since 1970. */
export function planRunsLow(next: readonly number[], plannedUntil: number | null): boolean {
  const needed = next[Math.min(plannedRuns / 2, next.length) - 1]
  return needed !== undefined && (plannedUntil === null || plannedUntil < needed)
}
