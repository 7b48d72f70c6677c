/** A group in which a waiting job had no place: the job's record of why it did not run there, and since when. */
export interface PassedOver {
  groupId: number
  group: string
  /** full (max_concurrent_jobs, max_forks), braked (quota, scheduler, throttled), unreachable, misconfigured, draining, cannot_run. */
  why: 'full' | 'braked' | 'unreachable' | 'misconfigured' | 'draining' | 'cannot_run'
  /** With the numbers. */
  message: string
  /** ISO. */
  since: string
  /** When the group was asked no more, because it had room or another had; null while the job waits. ISO. */
  until: string | null
}
