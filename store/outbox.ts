import { and, eq, sql } from 'drizzle-orm'
import { channels } from './channel.ts'
import type { Database } from './database.ts'
import { type OutboxKind, outbox } from './schema/runtime.ts'

/** A message to Temporal as stored. */
export type OutboxRow = typeof outbox.$inferSelect

/** How long a claimed row stays invisible to others; whoever claimed it and died delays it by no more than this. */
const claimedFor = sql`interval '10 seconds'`

/**
 * Puts a message to Temporal into the outbox, within the caller's transaction. A subject has one of each kind at most; asking again makes it due
 * now, also if it is being sent at this moment.
 */
export async function enqueue(tx: Database, kind: OutboxKind, subjectId: number): Promise<void> {
  await tx.execute(sql`
    WITH message AS (INSERT INTO ${outbox} AS old (kind, subject_id) VALUES (${kind}, ${subjectId})
      ON CONFLICT (subject_id, kind) DO UPDATE SET next_try_at = now(), asked = old.asked + 1)
    SELECT pg_notify(${channels.outbox}, '')`)
}

/**
 * Claims due rows, oldest first, for the caller to send; plans of schedules last, because nobody waits for one and there may be thousands of them at once. Other senders pass them over; a claim that is neither reported as sent nor as
 * failed ends by itself, so a crash sends again. `now` is for tests; else the database's clock decides.
 */
export async function claimOutbox(db: Database, limit: number, now?: Date): Promise<OutboxRow[]> {
  const clock = now ? sql`${now.toISOString()}::timestamptz` : sql`now()`
  const due = sql`
    SELECT id FROM ${outbox} WHERE next_try_at <= ${clock} ORDER BY kind = 'plan_schedule', next_try_at, id LIMIT ${limit} FOR UPDATE SKIP LOCKED`
  const rows = await db
    .update(outbox)
    .set({ nextTryAt: sql`${clock} + ${claimedFor}`, tries: sql`${outbox.tries} + 1` })
    .where(sql`${outbox.id} IN (${due})`)
    .returning()
  return rows.sort((one, other) => one.id - other.id)
}

/** The message arrived: forgets it, unless it was asked for again since it was claimed; then it stays due. */
export async function outboxSent(db: Database, row: Pick<OutboxRow, 'id' | 'asked'>): Promise<void> {
  await db.delete(outbox).where(and(eq(outbox.id, row.id), eq(outbox.asked, row.asked)))
}

/** The message did not arrive: keeps it until `retryAt`, with the reason for operators. */
export async function outboxFailed(db: Database, id: number, error: string, retryAt: Date): Promise<void> {
  await db
    .update(outbox)
    .set({ lastError: error.slice(0, 1000), nextTryAt: retryAt.toISOString() })
    .where(eq(outbox.id, id))
}
