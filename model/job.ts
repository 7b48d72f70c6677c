/** AWX's eight job statuses, in the order of a job's life. No other status ever reaches the wire. */
export const jobStatuses = [
  'new',
  'pending',
  'waiting',
  'running',
  'successful',
  'failed',
  'error',
  'canceled',
] as const
/** One of them. */
export type JobStatus = (typeof jobStatuses)[number]

/** Statuses in which a job still may change; exactly these can be cancelled. */
export const activeStatuses = ['new', 'pending', 'waiting', 'running'] as const satisfies readonly JobStatus[]
/** Statuses in which a job has ended. */
export const finalStatuses = ['successful', 'failed', 'error', 'canceled'] as const satisfies readonly JobStatus[]
/** One of them. */
export type FinalStatus = (typeof finalStatuses)[number]

/** Whether a job has ended. */
export function isFinal(status: JobStatus): status is FinalStatus {
  return (finalStatuses as readonly JobStatus[]).includes(status)
}

/** AWX derives `failed` from the status on every save. */
export function countsAsFailed(status: JobStatus): boolean {
  return status === 'failed' || status === 'error' || status === 'canceled'
}

/**
 * What may follow what. A final status is left only by a Reset in Temporal, which starts the job anew as pending. An approval is pending until it
 * is decided, and successful then.
 */
const successors: Record<JobStatus, readonly JobStatus[]> = {
  new: ['pending', 'error', 'canceled'],
  pending: ['waiting', 'running', 'successful', 'failed', 'error', 'canceled'],
  waiting: ['pending', 'running', 'successful', 'failed', 'error', 'canceled'],
  running: ['pending', 'successful', 'failed', 'error', 'canceled'],
  successful: ['pending'],
  failed: ['pending'],
  error: ['pending'],
  canceled: ['pending'],
}

/** Whether a status may be set after another. */
export function mayFollow(from: JobStatus, to: JobStatus): boolean {
  return successors[from].includes(to)
}

/** Kinds of jobs, as the `type` of a unified job on the wire. */
export const jobTypes = [
  'job',
  'project_update',
  'inventory_update',
  'ad_hoc_command',
  'system_job',
  'workflow_job',
  'workflow_approval',
] as const
/** The `type` of a unified job on the wire. */
export type JobType = (typeof jobTypes)[number]

/** Who or what launched a job. */
export const launchTypes = [
  'manual',
  'relaunch',
  'callback',
  'scheduled',
  'dependency',
  'workflow',
  'webhook',
  'sync',
  'scm',
] as const
/** One of them. */
export type LaunchType = (typeof launchTypes)[number]
