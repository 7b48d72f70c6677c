import { lineEventsResource } from '../jobs/line-events.ts'

/** Events of system jobs. */
export const systemJobEventsResource = lineEventsResource({
  job: 'system_job',
  jobs: 'system_jobs',
  model: 'SystemJobEvent',
})
