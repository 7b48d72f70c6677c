import { instantText } from './instant-text.ts'

/** What a group's owner set. 0 means no limit. */
export interface GroupLimits {
  maxConcurrentJobs: number
  maxForks: number
  /** Since when the group is drained, ISO; null while it is not. */
  drainingSince: string | null
  /** When what still runs in a drained group is evicted, ISO; null: never. */
  drainDeadline: string | null
}

/** What the attempts that hold places of a group add up to. */
export interface Taken {
  jobs: number
  forks: number
}

/** Why a group has no place for a job, with the numbers. */
export type Refusal =
  | { limit: 'max_concurrent_jobs'; allowed: number; taken: number }
  | { limit: 'max_forks'; allowed: number; taken: number; impact: number }
  | { limit: 'draining'; since: string; deadline: string | null }

/** A job whose impact alone is larger than the group's `max_forks`: no end of another job ever helps. */
export function neverFits({ maxForks }: Pick<GroupLimits, 'maxForks'>, impact: number): boolean {
  return maxForks > 0 && impact > maxForks
}

/**
 * Whether a group has a place for a job that counts for `impact` forks: null, or why not. The one rule for the claim in the store, the gate
 * and what a waiting job is told.
 */
export function refusalOf(limits: GroupLimits, taken: Taken, impact: number): Refusal | null {
  const { maxConcurrentJobs, maxForks, drainingSince, drainDeadline } = limits
  if (drainingSince !== null) return { limit: 'draining', since: drainingSince, deadline: drainDeadline }
  if (maxConcurrentJobs > 0 && taken.jobs >= maxConcurrentJobs)
    return { limit: 'max_concurrent_jobs', allowed: maxConcurrentJobs, taken: taken.jobs }
  if (maxForks > 0 && taken.forks + impact > maxForks)
    return { limit: 'max_forks', allowed: maxForks, taken: taken.forks, impact }
  return null
}

/** A refusal in words, to stand behind the name of the group and without a full stop. */
export function refusalText(refusal: Refusal): string {
  switch (refusal.limit) {
    case 'max_concurrent_jobs':
      return `${refusal.taken} of ${refusal.allowed} concurrent jobs are running (max_concurrent_jobs)`
    case 'max_forks':
      return `${refusal.taken} of ${refusal.allowed} forks are in use, and this job counts ${refusal.impact} (max_forks)`
    case 'draining': {
      const end = refusal.deadline === null ? '' : `; what still runs at ${instantText(refusal.deadline)} is evicted`
      return `it is drained since ${instantText(refusal.since)} and admits nobody${end}`
    }
  }
}

/** What a job is told that never fits. */
export function neverFitsText(group: string, maxForks: number, impact: number): string {
  return `The job counts ${impact} forks, and instance group "${group}" never has more than ${maxForks} (max_forks): lower the job's forks, slice it, or raise the limit.`
}
