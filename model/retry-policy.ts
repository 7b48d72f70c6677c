/**
 * What the platform may do again by itself when the cluster, not the play, ended an attempt; a template's `retry_policy`, frozen on each of its
 * jobs. All off where nothing is said: a failed play is never run again.
 */
export interface RetryPolicy {
  /** Further attempts when the node was lost, or the pod evicted or deleted, before the play began. */
  lost_before_start?: number
  /** Further attempts when that happened after the play began; the author says by this that the play may be run twice. */
  lost_after_start?: number
  /** One further attempt after the container ran out of memory, with this many times its memory limit, and `max` (a quantity) at most. */
  out_of_memory?: { factor: number; max: string }
}
