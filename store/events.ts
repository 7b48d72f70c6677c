import { sql } from 'drizzle-orm'
import { getAttempt } from './attempts.ts'
import { channels } from './channel.ts'
import type { Database, Store } from './database.ts'
import { decodeRows, type EventKey, eventColumns, type PackedEvents, rowsWhere } from './event-rows.ts'
import { FencedError } from './fence.ts'
import { jobLocked } from './lock-order.ts'
import { preparedOn } from './prepared.ts'

/** A piece of the spool, from one offset to the next, as events. */
export interface EventBatch {
  attemptId: number
  runId: string
  jobId: number
  /** Bytes of the spool stored before this batch; must be what the store says. */
  fromOffset: number
  /** Bytes of the spool stored with this batch; at the end of a record. */
  toOffset: number
  /** Packed for this job, in any pieces. */
  events: readonly PackedEvents[]
}

/** The spool is stored to another offset than the batch begins at: a write of this run was repeated. Go on from `storedOffset`. */
export class StaleOffsetError extends Error {
  override readonly name = 'StaleOffsetError'
  readonly storedOffset: number

  constructor(batch: EventBatch, storedOffset: number) {
    super(`attempt ${batch.attemptId}: batch begins at ${batch.fromOffset}, stored is ${storedOffset}`)
    this.storedOffset = storedOffset
  }
}

/** Two different events have the same counter: the output was tampered with or comes from two starts of the play. */
export class OutputConflictError extends Error {
  override readonly name = 'OutputConflictError'
  readonly counter: number

  constructor(jobId: number, counter: number) {
    super(`job ${jobId}: two different events have counter ${counter}`)
    this.counter = counter
  }
}

/** What goes in by a statement of its own: a job that says little says it in few and small batches, and then COPY costs more than it saves. */
const fewEvents = 50
const fewBytes = 50_000

/**
 * Stores a batch in one transaction: the events, how many there are, and how far the spool was read. An event that is stored already is
 * passed over. Throws FencedError, StaleOffsetError or OutputConflictError, having stored nothing. Notifies `events` once.
 */
export async function appendEvents(store: Store, batch: EventBatch): Promise<{ stored: number }> {
  const uuids = uuidsByCounter(batch)
  const isSmall = uuids.size <= fewEvents && batch.events.every(({ rows }) => rows.length <= fewBytes)
  if (isSmall && (await appendFew(store.db, batch, [...uuids.keys()]))) return { stored: uuids.size }
  return await store.copyTransaction(async (tx, copyIn) => {
    const known = await advance(tx, batch, [...uuids.keys()])
    for (const { counter, uuid } of known)
      if (uuids.get(counter) !== uuid) throw new OutputConflictError(batch.jobId, counter)
    const stored = uuids.size - known.length
    if (stored > 0) {
      await copyIn('job_events', eventColumns, rowsWithout(batch, known))
      await tx.execute(sql`
        WITH counted AS (UPDATE unified_jobs SET events_stored = events_stored + ${stored} WHERE id = ${batch.jobId})
        SELECT pg_notify(${channels.events}, ${String(batch.jobId)})`)
    }
    return { stored }
  })
}

const few = preparedOn((db) => {
  const value = sql.placeholder
  const moved = db.$with('moved', {}).as(sql`
    UPDATE attempts SET
      "offset" = ${value('toOffset')}::bigint, last_counter = ${value('last')}::int, first_event_at = coalesce(first_event_at, now())
    WHERE id = ${value('attemptId')} AND job_id = ${value('jobId')} AND run_id = ${value('runId')}
      AND "offset" = ${value('fromOffset')} AND ended_at IS NULL
      AND ${value('first')}::int > (SELECT max(last_counter) FROM attempts WHERE job_id = ${value('jobId')})
      AND ${jobLocked(value('attemptId'))}
    RETURNING id`)
  const columns = sql.raw(eventColumns.join(', '))
  const stored = db.$with('stored', {}).as(sql`
    INSERT INTO job_events (${columns}) SELECT ${sql.raw(eventColumns.map((column) => (column === 'event_data' ? 'event_data::json' : column)).join(', '))}
    FROM json_to_recordset(${value('rows')}::text::json) AS row(job_id int, counter int, event text, uuid text, parent_uuid text, failed boolean,
      changed boolean, host_id int, host_name text, playbook text, play text, task text, role text, stdout text, stdout_raw bytea,
      start_line int, end_line int, verbosity int, event_data text, created timestamptz)
    WHERE EXISTS (SELECT FROM moved)`)
  const counted = db.$with('counted', {}).as(sql`
    UPDATE unified_jobs SET events_stored = events_stored + ${value('count')}::int
    WHERE id = ${value('jobId')} AND EXISTS (SELECT FROM moved)`)
  return db
    .with(moved, stored, counted)
    .select({ told: sql`pg_notify(${channels.events}, ${value('jobId')}::text)` })
    .from(sql`moved`)
    .prepare('append_few')
})

/** Stores a batch of which nothing can be stored already in one statement. False, having stored nothing, where that is not so: then what is so is to be found out. */
async function appendFew(db: Database, batch: EventBatch, counters: readonly number[]): Promise<boolean> {
  const { events, ...keys } = batch
  const rows = JSON.stringify(events.flatMap((packed) => decodeRows(packed.rows)))
  const count = counters.length
  const [first, last] = [Math.min(...counters), Math.max(...counters)]
  // A counter twice, or none at all.
  if (count === 0 || events.reduce((all, packed) => all + packed.keys.length, 0) !== count) return false
  const told = await few(db).execute({ ...keys, rows, count, first, last })
  return told.length > 0
}

function uuidsByCounter({ jobId, events }: EventBatch): Map<number, string> {
  const uuids = new Map<number, string>()
  for (const { keys } of events) {
    for (const { counter, uuid } of keys) {
      const seen = uuids.get(counter)
      if (seen !== undefined && seen !== uuid) throw new OutputConflictError(jobId, counter)
      uuids.set(counter, uuid)
    }
  }
  return uuids
}

/** The batch's rows: each counter once, and none of those that are stored already. */
function rowsWithout({ events }: EventBatch, known: readonly EventKey[]): Buffer[] {
  const passed = new Set(known.map(({ counter }) => counter))
  const isFirst = ({ counter }: EventKey) => !passed.has(counter) && passed.add(counter)
  return events.map((packed) => {
    const fresh = new Set(packed.keys.filter(isFirst))
    return fresh.size === packed.keys.length ? packed.rows : rowsWhere(packed, (key) => fresh.has(key))
  })
}

/** Moves the attempt's offset on if this run owns it and it stands where the batch begins; returns what of the batch is stored already. */
async function advance(tx: Database, batch: EventBatch, counters: readonly number[]): Promise<EventKey[]> {
  const last = counters.reduce((most, counter) => Math.max(most, counter), 0)
  const first = counters.reduce((least, counter) => Math.min(least, counter), last)
  // A job has no event beyond its attempts' last counters, so there is mostly nothing to look up. That is worth asking first: for a job of
  // which its statistics know nothing, PostgreSQL may read all of the job's events with each batch to find none.
  const answer = await tx.execute<{ moved: boolean; stored: Record<string, string> | null }>(sql`
    WITH moved AS (
      UPDATE attempts SET
        "offset" = ${batch.toOffset},
        last_counter = greatest(last_counter, ${last}),
        first_event_at = CASE WHEN ${last} > 0 THEN coalesce(first_event_at, now()) ELSE first_event_at END
      WHERE id = ${batch.attemptId} AND job_id = ${batch.jobId} AND run_id = ${batch.runId} AND "offset" = ${batch.fromOffset}
        AND ended_at IS NULL AND ${jobLocked(batch.attemptId)}
      RETURNING id
    )
    SELECT EXISTS (SELECT FROM moved) AS moved,
      CASE WHEN ${first} BETWEEN 1 AND (SELECT max(last_counter) FROM attempts WHERE job_id = ${batch.jobId}) THEN
        (SELECT json_object_agg(counter, uuid) FROM job_events
          WHERE job_id = ${batch.jobId} AND counter BETWEEN ${first} AND ${last})
      END AS stored`)
  const [row] = answer.rows
  if (!row?.moved) {
    const attempt = await getAttempt(tx, batch.attemptId)
    // What an attempt prints after its end belongs to nobody: another one may be at work, whose output the job's is.
    if (attempt?.runId !== batch.runId || attempt.jobId !== batch.jobId || attempt.endedAt !== null)
      throw new FencedError(`attempt ${batch.attemptId}`, batch.runId)
    throw new StaleOffsetError(batch, attempt.offset)
  }
  const asked = new Set(counters)
  return Object.entries(row.stored ?? {})
    .map(([counter, uuid]) => ({ counter: Number(counter), uuid }))
    .filter(({ counter }) => asked.has(counter))
}
