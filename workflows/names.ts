import type { JobType } from '../model/job.ts'

/** Names shared by everybody who talks to Temporal. They are durable: a running workflow of the release before must still find them. */

/** Ungated queue: workflows and every activity that is not `admit`. */
export const mainTaskQueue = 'mayfly'

/** Gated queue of one container group; only `admit` runs there, and only while the group's gate grants slots. */
export function groupTaskQueue(instanceGroupId: number): string {
  return `group-${instanceGroupId}`
}

/** Workflow types by which Temporal starts and replays. */
export const workflowTypes = {
  job: 'job',
  projectUpdate: 'projectUpdate',
  inventoryUpdate: 'inventoryUpdate',
  systemJob: 'systemJob',
  workflowJob: 'workflowJob',
  approval: 'approval',
  notification: 'notification',
  scheduledLaunch: 'scheduledLaunch',
  webhookStatus: 'webhookStatus',
  reaper: 'reaper',
  preflight: 'preflight',
  nightlyPreflights: 'nightlyPreflights',
} as const

/** The workflow type that runs a kind of unified job. */
export const workflowTypeOf = {
  job: workflowTypes.job,
  ad_hoc_command: workflowTypes.job,
  project_update: workflowTypes.projectUpdate,
  inventory_update: workflowTypes.inventoryUpdate,
  system_job: workflowTypes.systemJob,
  workflow_job: workflowTypes.workflowJob,
  workflow_approval: workflowTypes.approval,
} as const satisfies Record<JobType, string>

/** Signals, which carry nothing: what changed is in the store. */
export const signals = {
  /**
   * To a workflow job: a job of a node has ended, or somebody paused, resumed, skipped or tried again. To it and to a playbook job: it may be its turn,
   * where their template allows one at a time.
   */
  progress: 'progress',
  /** To a job that waits for a place: it has waited for long while more urgent ones were served, so it goes to the head of the line. */
  raise: 'raise',
  /** To a job that has claimed its place and stands in line all the same: who was letting it in is gone, and by its own claim the group may be full. */
  resumeAdmission: 'resumeAdmission',
  /** To an approval: somebody approved or denied it. */
  decided: 'decided',
  /** To who tells a service of its job: the job stands otherwise now. */
  statusChanged: 'statusChanged',
} as const

/** One workflow per unified job, whatever its kind; ids are unique over all kinds. */
export function jobWorkflowId(jobId: number): string {
  return `job-${jobId}`
}

/** One workflow per notification. */
export function notificationWorkflowId(notificationId: number): string {
  return `notification-${notificationId}`
}

/** One workflow at a time per job whose service is told how it stands. */
export function webhookStatusWorkflowId(jobId: number): string {
  return `webhook-status-${jobId}`
}

/** One schedule of Temporal per schedule of ours; the workflows that it starts have the instant behind this. */
export function scheduleId(id: number): string {
  return `schedule-${id}`
}

/** One workflow per test of a group or credential. */
export function preflightWorkflowId(preflightId: number): string {
  return `preflight-${preflightId}`
}

/** One workflow per pass of the reaper that somebody asked for. */
export function reaperPassWorkflowId(passId: number): string {
  return `reaper-pass-${passId}`
}

/** The schedule that tests all container groups at night. */
export const nightlyPreflightsScheduleId = 'mayfly-preflights'

/** The schedule that starts the reaper; one for an installation. */
export const reaperScheduleId = 'mayfly-reaper'

/** Search attributes by which operators find jobs in the Temporal UI. Ten keywords are all that SQL visibility has. */
export const searchAttributes = {
  MayflyJobId: 'Int',
  MayflyKind: 'Keyword',
  MayflyTemplate: 'Keyword',
  MayflyOrganization: 'Keyword',
  MayflyGroup: 'Keyword',
  MayflyStatus: 'Keyword',
  MayflyLaunchedBy: 'Keyword',
} as const
