import { sql } from 'drizzle-orm'
import type { EventRow } from '../model/event.ts'
import { getAttempt } from './attempts.ts'
import { channels } from './channel.ts'
import type { Database, Store } from './database.ts'
import { encodeEvents, eventColumns } from './event-rows.ts'
import { FencedError } from './fence.ts'

/** A piece of the spool, from one offset to the next, as events. */
export interface EventBatch {
  attemptId: number
  runId: string
  jobId: number
  /** Bytes of the spool stored before this batch; must be what the store says. */
  fromOffset: number
  /** Bytes of the spool stored with this batch; at the end of a record. */
  toOffset: number
  events: readonly EventRow[]
  /** Counter of the last event read so far. */
  lastCounter: number
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

/**
 * Stores a batch in one transaction: the events, how many there are, and how far the spool was read. An event that is stored already is
 * passed over. Throws FencedError, StaleOffsetError or OutputConflictError, having stored nothing. Notifies `events` once.
 */
export async function appendEvents(store: Store, batch: EventBatch): Promise<{ stored: number }> {
  const fresh = withoutRepeats(batch)
  return await store.copyTransaction(async (tx, copyIn) => {
    for (const [counter, uuid] of await advance(tx, batch, fresh)) {
      if (fresh.get(counter)?.uuid !== uuid) throw new OutputConflictError(batch.jobId, counter)
      fresh.delete(counter)
    }
    if (fresh.size > 0) {
      await copyIn('job_events', eventColumns, encodeEvents(batch.jobId, fresh.values()))
      await tx.execute(sql`
        WITH counted AS (
          UPDATE unified_jobs SET events_stored = events_stored + ${fresh.size} WHERE id = ${batch.jobId}
        )
        SELECT pg_notify(${channels.events}, ${String(batch.jobId)})`)
    }
    return { stored: fresh.size }
  })
}

function withoutRepeats(batch: EventBatch): Map<number, EventRow> {
  const byCounter = new Map<number, EventRow>()
  for (const event of batch.events) {
    const seen = byCounter.get(event.counter)
    if (seen && seen.uuid !== event.uuid) throw new OutputConflictError(batch.jobId, event.counter)
    if (!seen) byCounter.set(event.counter, event)
  }
  return byCounter
}

/** Moves the attempt's offset on if this run owns it and it stands where the batch begins; returns the batch's counters that are stored already, with uuid. */
async function advance(tx: Database, batch: EventBatch, fresh: Map<number, EventRow>): Promise<[number, string][]> {
  let first = 0
  let last = -1
  for (const counter of fresh.keys()) {
    first = last === -1 ? counter : Math.min(first, counter)
    last = Math.max(last, counter)
  }
  const answer = await tx.execute<{ moved: boolean; stored: Record<string, string> | null }>(sql`
    WITH moved AS (
      UPDATE attempts SET
        "offset" = ${batch.toOffset},
        last_counter = greatest(last_counter, ${batch.lastCounter}),
        first_event_at = CASE WHEN ${fresh.size} > 0 THEN coalesce(first_event_at, now()) ELSE first_event_at END
      WHERE id = ${batch.attemptId} AND job_id = ${batch.jobId} AND run_id = ${batch.runId} AND "offset" = ${batch.fromOffset}
      RETURNING id
    )
    SELECT EXISTS (SELECT FROM moved) AS moved,
      (SELECT json_object_agg(counter, uuid) FROM job_events
        WHERE job_id = ${batch.jobId} AND counter BETWEEN ${first} AND ${last}) AS stored`)
  const [row] = answer.rows
  if (!row?.moved) {
    const attempt = await getAttempt(tx, batch.attemptId)
    if (attempt?.runId !== batch.runId || attempt.jobId !== batch.jobId)
      throw new FencedError(`attempt ${batch.attemptId}`, batch.runId)
    throw new StaleOffsetError(batch, attempt.offset)
  }
  return Object.entries(row.stored ?? {})
    .map(([counter, uuid]): [number, string] => [Number(counter), uuid])
    .filter(([counter]) => fresh.has(counter))
}
