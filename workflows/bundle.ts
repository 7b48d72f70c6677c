/** The entry from which Temporal bundles the workflows: the exported names are the workflow types. */
export { job } from './job.ts'
export { notification } from './notification.ts'
export { projectUpdate } from './project-update.ts'
export { reaper } from './reaper.ts'
