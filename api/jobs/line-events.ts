import { defineResource, type Resource } from '../resource.ts'
import { eventListing, lineEventFields, shownStdout, withoutJobSummary } from './event-fields.ts'

/** Which kind of job prints the lines, by wire names. */
interface LineEvents {
  /** `type` of the job: system_job. */
  job: string
  /** Name of the jobs' resource: system_jobs. */
  jobs: string
  /** AWX's class of the events: SystemJobEvent. */
  model: string
}

/** Events of jobs that print lines and play nothing. They have no address of their own and are listed at `/<jobs>/N/events/`. */
export function lineEventsResource({ job, jobs, model }: LineEvents): Resource {
  return defineResource({
    name: `${job}_events`,
    type: `${job}_event`,
    model,
    ...eventListing,
    methods: { list: ['GET'], detail: [] },
    fields: {
      ...lineEventFields(),
      [job]: { kind: 'id', to: jobs, column: 'jobId' },
    },
    present: (wire, event, context, view) => ({
      ...withoutJobSummary(wire, job),
      url: '',
      stdout: shownStdout(event, context, view),
    }),
  })
}
