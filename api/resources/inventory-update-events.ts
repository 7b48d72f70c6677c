import { jobEvents } from '../../store/schema/jobs.ts'
import { eventListColumns, lineEventFields, shownStdout, withoutJobSummary } from '../jobs/event-fields.ts'
import { defineResource } from '../resource.ts'
import { uiEventsHeader } from './job-events.ts'

/** Events of inventory updates: their lines. They have no address of their own and are listed at `/inventory_updates/N/events/`. */
export const inventoryUpdateEventsResource = defineResource({
  name: 'inventory_update_events',
  type: 'inventory_update_event',
  model: 'InventoryUpdateEvent',
  detailsOnly: true,
  table: jobEvents,
  methods: { list: ['GET'], detail: [] },
  fields: {
    ...lineEventFields(),
    inventory_update: { kind: 'id', to: 'inventory_updates', column: 'jobId' },
  },
  order: ['start_line', 'counter'],
  searchFields: ['stdout'],
  limitParameter: true,
  listColumns: eventListColumns,
  listHeaders: uiEventsHeader,
  present: (wire, event, context, view) => ({
    ...withoutJobSummary(wire, 'inventory_update'),
    url: '',
    stdout: shownStdout(event, context, view),
  }),
})
