/** Names shared by everybody who talks to Temporal. They are durable: a running workflow of the release before must still find them. */

/** Ungated queue: workflows and every activity that is not `admit`. */
export const mainTaskQueue = 'mayfly'

/** Gated queue of one container group; only `admit` runs there, and only while the group's gate grants slots. */
export function groupTaskQueue(instanceGroupId: number): string {
  return `group-${instanceGroupId}`
}

/** Workflow types by which Temporal starts and replays. */
export const workflowTypes = { job: 'job', projectUpdate: 'projectUpdate', reaper: 'reaper' } as const

/** One workflow per unified job, whatever its kind; ids are unique over all kinds. */
export function jobWorkflowId(jobId: number): string {
  return `job-${jobId}`
}

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
