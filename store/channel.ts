/** LISTEN/NOTIFY channels of the store, and what their payload says. After a reconnect listeners get `null`: anything may have changed. */
export const channels = {
  /** A row was put into the outbox; no payload. */
  outbox: 'mayfly_outbox',
  /** A job's row changed; payload: job id. */
  jobs: 'mayfly_jobs',
  /** Somebody wants a job to end, which is on its row; payload: job id. */
  cancels: 'mayfly_cancels',
  /** Events of a job were stored; payload: job id. */
  events: 'mayfly_events',
  /**
   * A place of a group became free, or its settings changed; payload: instance group id, and for a place that was given back a blank and the name of the pod that had it.
   */
  groups: 'mayfly_groups',
  /** A test of a group or credential is over; payload: its id. */
  preflights: 'mayfly_preflights',
  /** A pass of the reaper is over; payload: its id. */
  reaperPasses: 'mayfly_reaper_passes',
} as const

/** One of them. */
export type Channel = (typeof channels)[keyof typeof channels]
