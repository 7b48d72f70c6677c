/** Input of the workflows `job` and `projectUpdate`: an id and nothing else, so that no document and no secret enters a history. */
export interface JobInput {
  jobId: number
  /** Said by releases whose jobs prepare within their first workflow task, so that their histories need no patch that says so (preparation.ts). */
  preparesHere?: true
}

/** Type of the ApplicationFailure with which a job's workflow fails, so that operators can tell a failed job from a broken workflow. */
export const jobFailureType = 'JobFailed'

/** Type of the ApplicationFailure with which the workflow of a notification fails that could not be delivered. */
export const notificationFailureType = 'NotificationFailed'

/** Type of the ApplicationFailure with which a run of a schedule fails whose template could not be launched. */
export const scheduledLaunchFailureType = 'ScheduledLaunchFailed'

/** Input of the workflow `workflowJob`. */
export interface WorkflowJobInput extends JobInput {
  /** The run whose history had become long, when this one goes on where it ended. */
  continues?: string
}
