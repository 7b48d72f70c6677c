/** The entry from which Temporal bundles the workflows: the exported names are the workflow types. */
export { approval } from './approval.ts'
export { inventoryUpdate } from './inventory-update.ts'
export { job } from './job.ts'
export { notification } from './notification.ts'
export { projectUpdate } from './project-update.ts'
export { reaper } from './reaper.ts'
export { scheduledLaunch } from './scheduled-launch.ts'
export { workflowJob } from './workflow-job.ts'
