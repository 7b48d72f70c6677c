import type { PassedOver } from '../model/passed-over.ts'

/** How long the cluster's or our own bookkeeping is given after it was overtaxed. */
export const busyMs = 250

/** The cluster or the database is away. A place that was claimed is kept: nobody knows whether its pod was created. */
export class AwayError extends Error {
  override name = 'AwayError'
  readonly retryAfterMs: number

  constructor(message: string, retryAfterMs = 1_000) {
    super(message)
    this.retryAfterMs = retryAfterMs
  }
}

/**
 * The group has no place for the job just now. `why` is what a job that runs elsewhere meanwhile keeps on record of this group, the message
 * has the numbers; null where the reason is over in a moment and says nothing of the group. `retryAfterMs` null: until something changes.
 */
export class NoRoomError extends Error {
  override name = 'NoRoomError'
  readonly why: PassedOver['why'] | null
  readonly retryAfterMs: number | null
  /** When the refusal happened, ISO. */
  readonly since: string
  /** How many forks the job counts for, where that is what there is no room for. */
  readonly impact: number

  constructor(why: PassedOver['why'] | null, message: string, retryAfterMs: number | null, impact = 1) {
    super(message)
    this.impact = impact
    this.why = why
    this.retryAfterMs = retryAfterMs
    this.since = new Date().toISOString()
  }
}
