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
export type JobStatus = (typeof jobStatuses)[number]

/** Statuses in which a job still may change; exactly these can be cancelled. */
export const activeStatuses = ['new', 'pending', 'waiting', 'running'] as const satisfies readonly JobStatus[]
export const finalStatuses = ['successful', 'failed', 'error', 'canceled'] as const satisfies readonly JobStatus[]
export type FinalStatus = (typeof finalStatuses)[number]

export function isFinal(status: JobStatus): status is FinalStatus {
  return (finalStatuses as readonly JobStatus[]).includes(status)
}

/** AWX derives `failed` from the status on every save. */
export function countsAsFailed(status: JobStatus): boolean {
  return status === 'failed' || status === 'error' || status === 'canceled'
}

/** What may follow what. A final status is left only by a Reset in Temporal, which starts the job anew as pending. */
const successors: Record<JobStatus, readonly JobStatus[]> = {
  new: ['pending', 'error', 'canceled'],
  pending: ['waiting', 'running', 'failed', 'error', 'canceled'],
  waiting: ['pending', 'running', 'successful', 'failed', 'error', 'canceled'],
  running: ['pending', 'successful', 'failed', 'error', 'canceled'],
  successful: ['pending'],
  failed: ['pending'],
  error: ['pending'],
  canceled: ['pending'],
}

export function mayFollow(from: JobStatus, to: JobStatus): boolean {
  return successors[from].includes(to)
}

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
export type LaunchType = (typeof launchTypes)[number]
