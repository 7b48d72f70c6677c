import { eventFields, eventListing, shownStdout, withoutJobSummary } from '../jobs/event-fields.ts'
import { defineResource } from '../resource.ts'

/** An ad hoc command has no plays, so its events say nothing of them. */
const {
  playbook: _,
  play: _play,
  task: _task,
  role: _role,
  event_level: _level,
  ...fields
} = eventFields({
  host: { kind: 'id', to: 'hosts' },
})

/** `/api/v2/ad_hoc_command_events/N/`: one event of an ad hoc command. Listed below commands, hosts and groups only. */
export const adHocCommandEventsResource = defineResource({
  name: 'ad_hoc_command_events',
  type: 'ad_hoc_command_event',
  model: 'AdHocCommandEvent',
  ...eventListing,
  methods: { list: ['GET'], detail: ['GET'] },
  fields: {
    ad_hoc_command: { kind: 'id', to: 'ad_hoc_commands', column: 'jobId' },
    ...fields,
  },
  present: (wire, event, context, view) => ({
    ...withoutJobSummary(wire, 'ad_hoc_command'),
    stdout: shownStdout(event, context, view),
  }),
})
