import { inArray } from 'drizzle-orm'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { eventFields, eventListing, shownStdout } from '../jobs/event-fields.ts'
import { defineResource } from '../resource.ts'

/** Events of project updates; they have no address of their own and are listed at `/project_updates/N/events/`. */
export const projectUpdateEventsResource = defineResource({
  name: 'project_update_events',
  type: 'project_update_event',
  model: 'ProjectUpdateEvent',
  ...eventListing,
  methods: { list: ['GET'], detail: [] },
  fields: {
    ...eventFields({}),
    project_update: { kind: 'id', to: 'project_updates', column: 'jobId' },
  },
  async summaries(events, context) {
    const ids = [...new Set(events.map((event) => event.jobId))]
    const rows = await context.db
      .select({
        id: unifiedJobs.id,
        name: unifiedJobs.name,
        description: unifiedJobs.description,
        status: unifiedJobs.status,
        failed: unifiedJobs.failed,
      })
      .from(unifiedJobs)
      .where(inArray(unifiedJobs.id, ids))
    const updates = new Map(rows.map((row) => [row.id, row]))
    return events.map((event) => ({ project_update: updates.get(event.jobId), role: {} }))
  },
  present: (wire, event, context, view) => ({ ...wire, url: '', stdout: shownStdout(event, context, view) }),
})
