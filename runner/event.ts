import type { EventRow } from '../model/event.ts'
import { isMapping } from '../model/variables.ts'
import type { RunnerEvent } from './stream.ts'
import { encodeEscaped, losesBytes, storableText } from './text.ts'

/** Longest name that AWX stores (event columns of 1024 characters); a longer one ends in an ellipsis. */
const longestName = 1024

/** Events that mark a failure unless their task ignores errors. */
const failureEvents = new Set([
  'runner_on_failed',
  'runner_on_error',
  'runner_on_unreachable',
  'runner_on_async_failed',
  'runner_item_on_failed',
  'error',
])

/** Turns a runner event into the row that is stored. `hostId` is null: only who knows the inventory can look the name up. */
export function toEventRow(event: RunnerEvent): EventRow {
  const data = isMapping(event.event_data) ? event.event_data : {}
  const stdout = text(event.stdout)
  return {
    counter: event.counter,
    event: storableText(event.event),
    uuid: storableText(event.uuid),
    parentUuid: storableText(text(event.parent_uuid)),
    failed: hasFailed(event.event, data),
    changed: hasChanged(event.event, data),
    hostId: null,
    hostName: name(data.host),
    playbook: name(data.playbook),
    play: name(data.play),
    task: name(data.task),
    role: name(data.role),
    stdout: storableText(stdout),
    ...(losesBytes(stdout) ? { stdoutRaw: encodeEscaped(stdout) } : {}),
    startLine: count(event.start_line),
    endLine: count(event.end_line),
    verbosity: count(event.verbosity),
    eventData: data,
    created: instant(event.created),
  }
}

function hasFailed(event: string, data: Record<string, unknown>): boolean {
  if (event === 'playbook_on_stats') return sum(data.failures) + sum(data.dark) > 0
  return failureEvents.has(event) && !data.ignore_errors
}

function hasChanged(event: string, data: Record<string, unknown>): boolean {
  if (event === 'playbook_on_stats') return sum(data.changed) > 0
  return isMapping(data.res) && Boolean(data.res.changed)
}

function sum(counts: unknown): number {
  return isMapping(counts) ? Object.values(counts).reduce<number>((total, one) => total + count(one), 0) : 0
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function name(value: unknown): string {
  const clean = storableText(text(value)).trim()
  if (clean.length <= longestName) return clean
  const characters = [...clean]
  return characters.length <= longestName ? clean : `${characters.slice(0, longestName - 1).join('')}…`
}

function count(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0
}

const isoInstant = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?$/

/** ansible-runner up to 2.3.1 writes UTC without a zone. */
function instant(value: unknown): string {
  const match = isoInstant.exec(text(value))
  if (!match) return new Date().toISOString()
  return match[2] ? match[0] : `${match[0]}+00:00`
}
