import { type SQL, sql } from 'drizzle-orm'
import { cutStdout, eventChoices, eventDisplay, eventLevel, eventStdoutLimit } from '../../model/event-display.ts'
import { jobEvents } from '../../store/schema/jobs.ts'
import type { RequestContext } from '../context.ts'
import { derived, type Field } from '../field.ts'
import type { View } from '../resource.ts'

/** A row of job_events. */
export type EventTableRow = typeof jobEvents.$inferSelect

const asEvent = (row: unknown) => row as EventTableRow

/** Fields that events of all kinds show, in AWX's order; `between` stands where their own ones are. */
export function eventFields(between: Record<string, Field>): Record<string, Field> {
  return {
    event: { kind: 'choice', choices: eventChoices },
    counter: { kind: 'integer', min: 0 },
    event_display: derived('string', (row) => eventDisplay(asEvent(row))),
    event_data: { kind: 'json', unsearchable: true },
    event_level: derived('integer', (row) => eventLevel(asEvent(row).event)),
    failed: { kind: 'boolean' },
    changed: { kind: 'boolean' },
    uuid: { kind: 'string' },
    ...between,
    host_name: { kind: 'string' },
    playbook: { kind: 'string' },
    play: { kind: 'string' },
    task: { kind: 'string' },
    role: { kind: 'string' },
    stdout: { kind: 'string' },
    start_line: { kind: 'integer', min: 0 },
    end_line: { kind: 'integer', min: 0 },
    verbosity: { kind: 'integer', min: 0 },
  }
}

/** Fields of events that are lines of output and belong to no play: of inventory updates and system jobs. */
export function lineEventFields(): Record<string, Field> {
  const {
    playbook: _,
    play: _play,
    task: _task,
    role: _role,
    host_name: _host,
    event_level: _level,
    ...fields
  } = eventFields({})
  return fields
}

/** The wire form without what an event's job shows in its summary: AWX links the job and says no more of it. */
export function withoutJobSummary(wire: Record<string, unknown>, job: string): Record<string, unknown> {
  const { [job]: _job, ...summary } = wire.summary_fields as Record<string, unknown>
  return { ...wire, summary_fields: summary }
}

/** Lists show the beginning of long texts only, unless `no_truncate` asks for all. */
export function shownStdout(event: EventTableRow, context: RequestContext, view: View): string {
  if (view === 'detail' || isAskedForWhole(new URL(context.request.url).searchParams)) return event.stdout
  return cutStdout(event.event, event.stdout)
}

/** What lists of events read: of texts no more than they show, and no bytes, because a line may have megabytes. */
function eventListColumns(query: URLSearchParams): Record<string, SQL> {
  const { event, stdout } = jobEvents
  return {
    stdoutRaw: sql`NULL`,
    ...(isAskedForWhole(query)
      ? {}
      : {
          stdout: sql`CASE WHEN starts_with(${event}, 'playbook_on_') THEN ${stdout} ELSE left(${stdout}, ${eventStdoutLimit + 1}) END`,
        }),
  }
}

/** How events of all kinds are kept and listed. */
export const eventListing = {
  detailsOnly: true,
  table: jobEvents,
  order: ['start_line', 'counter'],
  searchFields: ['stdout'],
  limitParameter: true,
  listColumns: eventListColumns,
  // How many events AWX's browser UI loads at most.
  listHeaders: { 'X-UI-Max-Events': '4000' },
}

const isAskedForWhole = (query: URLSearchParams) => /^(1|true)$/i.test(query.get('no_truncate') ?? '')
