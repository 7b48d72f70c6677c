import { and, eq, sql } from 'drizzle-orm'
import { jobEvents } from '../../store/schema/jobs.ts'
import { eventFields, eventListing, shownStdout } from '../jobs/event-fields.ts'
import { defineResource } from '../resource.ts'

/** `/api/v2/job_events/N/`: one event of a playbook run. Listed below jobs, hosts and groups only. */
export const jobEventsResource = defineResource({
  name: 'job_events',
  type: 'job_event',
  model: 'JobEvent',
  ...eventListing,
  methods: { list: ['GET'], detail: ['GET'] },
  fields: {
    job: { kind: 'id', to: 'jobs' },
    ...eventFields({ parent_uuid: { kind: 'string' }, host: { kind: 'id', to: 'hosts' } }),
  },
  subLists: {
    children: {
      resource: 'job_events',
      where: (event) =>
        and(eq(jobEvents.jobId, event.jobId), eq(jobEvents.parentUuid, event.uuid), sql`${event.uuid} <> ''`) ??
        sql`false`,
      title: 'Job Event Children List',
    },
  },
  async summaries(events) {
    return events.map(() => ({ role: {} }))
  },
  present: (wire, event, context, view) => ({ ...wire, stdout: shownStdout(event, context, view) }),
})
