import { and, eq, inArray, isNull, sql } from 'drizzle-orm'
import { defaultPriority } from '../model/priority.ts'
import { channels } from './channel.ts'
import type { Database } from './database.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { type OutboxKind, outbox } from './schema/runtime.ts'
import { placeOfStart } from './turn-line.ts'

/** A message to Temporal as stored. */
export type OutboxRow = typeof outbox.$inferSelect

/**
 * What is sent first. Starts have the priority of their job (1 to 5), or rest until it is its turn: before them comes what somebody waits for just now, after them news, and last plans
 * of schedules, because nobody waits for one and there may be thousands of them at once.
 */
const urgencies: Record<Exclude<OutboxKind, 'start'>, number> = {
  cancel: 0,
  progress: 0,
  decided: 0,
  raise: 0,
  // Whoever asked for one waits for the answer.
  preflight: 0,
  reap: 0,
  notify: 6,
  webhook_status: 6,
  plan_schedule: 7,
}

/**
 * Puts a message to Temporal into the outbox, within the caller's transaction. A subject has one of each kind at most; asking again makes it due
 * now, also if it is being sent at this moment. The job of a start is there already.
 */
export async function enqueue(tx: Database, kind: OutboxKind, subjectId: number): Promise<void> {
  const values =
    kind === 'start'
      ? sql`coalesce(place.urgency, ${defaultPriority}), coalesce(place.organization_id, 0), coalesce(place.line, '')
        FROM (SELECT) AS one LEFT JOIN ${unifiedJobs} AS job ON job.id = ${subjectId} LEFT JOIN LATERAL (${placeOfStart(sql`job`)}) AS place ON true`
      : sql`${urgencies[kind]}::int, 0, ''`
  await tx.execute(sql`
    WITH message AS (INSERT INTO ${outbox} AS old (kind, subject_id, urgency, organization_id, line)
      SELECT ${kind}::text, ${subjectId}::int, ${values}
      ON CONFLICT (subject_id, kind) DO UPDATE SET next_try_at = now(), asked = old.asked + 1)
    SELECT pg_notify(${channels.outbox}, '')`)
}

/** Of jobs whose workflows were started, those that no workflow has begun yet: their first task still waits for a worker. */
export async function notBegun(db: Database, jobIds: readonly number[]): Promise<number[]> {
  const rows = await db
    .select({ id: unifiedJobs.id })
    .from(unifiedJobs)
    .where(and(inArray(unifiedJobs.id, [...jobIds]), eq(unifiedJobs.status, 'pending'), isNull(unifiedJobs.runId)))
  return rows.map(({ id }) => id)
}

/** The messages arrived: forgets them, save those that were asked for again since they were claimed; they stay due. */
export async function outboxSent(db: Database, rows: readonly Pick<OutboxRow, 'id' | 'asked'>[]): Promise<void> {
  if (rows.length === 0) return
  const sent = rows.map(({ id, asked }) => sql`(${id}::bigint, ${asked}::int)`)
  await db.execute(sql`DELETE FROM outbox WHERE (id, asked) IN (${sql.join(sent, sql`, `)})`)
}

/** The message did not arrive: keeps it until `retryAt`, with the reason for operators. */
export async function outboxFailed(db: Database, id: number, error: string, retryAt: Date): Promise<void> {
  await db
    .update(outbox)
    .set({ lastError: error.slice(0, 1000), nextTryAt: retryAt.toISOString() })
    .where(eq(outbox.id, id))
}
