import type { EventRow } from '../model/event.ts'

/** Columns of job_events in the order in which encodeEvents writes them. */
export const eventColumns = [
  'job_id',
  'counter',
  'event',
  'uuid',
  'parent_uuid',
  'failed',
  'changed',
  'host_id',
  'host_name',
  'playbook',
  'play',
  'task',
  'role',
  'stdout',
  'stdout_raw',
  'start_line',
  'end_line',
  'verbosity',
  'event_data',
  'created',
] as const

/** Events ready to be stored: their keys and, in the same order, their rows. Far smaller than the events themselves, and nothing to collect. */
export interface PackedEvents {
  readonly keys: readonly EventKey[]
  /** In COPY's text format, a line for each. */
  readonly rows: Buffer
}

/** By what a second delivery of an event is recognised. */
export interface EventKey {
  counter: number
  uuid: string
}

/** Packs events of a job. */
export function packEvents(jobId: number, events: readonly EventRow[]): PackedEvents {
  return { keys: events.map(({ counter, uuid }) => ({ counter, uuid })), rows: encodeEvents(jobId, events) }
}

/** The rows of those events for which `wanted` is true. */
export function rowsWhere({ keys, rows }: PackedEvents, wanted: (key: EventKey) => boolean): Buffer {
  let from = 0
  const pieces = keys.map((key) => {
    const to = rows.indexOf('\n', from) + 1
    const row = rows.subarray(from, to)
    from = to
    return wanted(key) ? row : Buffer.alloc(0)
  })
  return Buffer.concat(pieces)
}

/** Rows that encodeEvents wrote as the texts of their columns, by SQL name; null for NULL. */
export function decodeRows(rows: Buffer): Record<string, string | null>[] {
  const lines = rows.toString().split('\n').slice(0, -1)
  return lines.map((line) => {
    const fields = line.split('\t').map((field) => (field === '\\N' ? null : unescaped(field)))
    return Object.fromEntries(eventColumns.map((column, index) => [column, fields[index] ?? null]))
  })
}

const characters: Record<string, string> = { t: '\t', n: '\n', r: '\r' }

function unescaped(field: string): string {
  if (!field.includes('\\')) return field
  return field.replaceAll(/\\(.)/g, (_all, character: string) => characters[character] ?? character)
}

/** Encodes events as rows of PostgreSQL's COPY text format. */
export function encodeEvents(jobId: number, events: Iterable<EventRow>): Buffer {
  let rows = ''
  for (const event of events) {
    // No PostgreSQL text can hold NUL: such output is kept as bytes, and shown with U+FFFD.
    const raw = event.stdoutRaw ?? (event.stdout.includes('\0') ? Buffer.from(event.stdout) : undefined)
    rows += `${jobId}\t${event.counter}\t${text(event.event)}\t${text(event.uuid)}\t${text(event.parentUuid)}\t${event.failed}\t${event.changed}\t${event.hostId ?? '\\N'}\t${text(event.hostName)}\t${text(event.playbook)}\t${text(event.play)}\t${text(event.task)}\t${text(event.role)}\t${text(event.stdout)}\t${bytes(raw)}\t${event.startLine}\t${event.endLine}\t${event.verbosity}\t${text(json(event.eventData))}\t${instant(event.created)}\n`
  }
  return Buffer.from(rows)
}

const special = /[\\\t\n\r\0]/

/** replaceAll with texts is several times faster than one replace with a function on a long line full of backslashes. */
function text(value: string): string {
  if (!special.test(value)) return value
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll('\t', '\\t')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\0', '\uFFFD')
}

/** Ansible nests no data deeper than Python's stack allows, but what runs in a pod need not be Ansible. */
function json(data: Record<string, unknown>): string {
  try {
    return JSON.stringify(data)
  } catch (error) {
    if (error instanceof RangeError) return '{}'
    throw error
  }
}

function bytes(value: Uint8Array | undefined): string {
  return value === undefined ? '\\N' : `\\\\x${Buffer.from(value).toString('hex')}`
}

/** A date that PostgreSQL cannot read would keep the whole output from being stored for ever; the time of storing is near enough. */
function instant(value: string): string {
  return Number.isNaN(Date.parse(value)) || !/^\d{4}-\d\d-\d\d[T ]/.test(value) ? new Date().toISOString() : value
}
