import { jobEvents } from '../../store/schema/jobs.ts'
import { eventListColumns, lineEventFields, shownStdout, withoutJobSummary } from '../jobs/event-fields.ts'
import { defineResource } from '../resource.ts'
import { uiEventsHeader } from './job-events.ts'

/** Events of system jobs: their lines. They have no address of their own and are listed at `/system_jobs/N/events/`. */
export const systemJobEventsResource = defineResource({
  name: 'system_job_events',
  type: 'system_job_event',
  model: 'SystemJobEvent',
  detailsOnly: true,
  table: jobEvents,
  methods: { list: ['GET'], detail: [] },
  fields: {
    ...lineEventFields(),
    system_job: { kind: 'id', to: 'system_jobs', column: 'jobId' },
  },
  order: ['start_line', 'counter'],
  searchFields: ['stdout'],
  limitParameter: true,
  listColumns: eventListColumns,
  listHeaders: uiEventsHeader,
  present: (wire, event, context, view) => ({
    ...withoutJobSummary(wire, 'system_job'),
    url: '',
    stdout: shownStdout(event, context, view),
  }),
})
