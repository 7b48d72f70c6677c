import { and, eq, inArray, isNull, type SQL, sql } from 'drizzle-orm'
import { defaultPriority } from '../model/priority.ts'
import { channels } from './channel.ts'
import type { Database } from './database.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { type OutboxKind, outbox } from './schema/runtime.ts'

/** A message to Temporal as stored. */
export type OutboxRow = typeof outbox.$inferSelect

/** How long a claimed row stays invisible to others; whoever claimed it and died delays it by no more than this. */
const claimedFor = sql`interval '10 seconds'`

/** One of so many messages of a claim is the oldest there is, so that none waits for ever behind more urgent ones. */
const oldestOneIn = 8

/**
 * What is sent first. Starts have the priority of their job (1 to 5): before them comes what somebody waits for just now, after them news, and last plans
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
  await tx.execute(sql`
    WITH message AS (INSERT INTO ${outbox} AS old (kind, subject_id, urgency, organization_id)
      VALUES (${kind}, ${subjectId}, ${kind === 'start' ? ofJob(sql`priority`, subjectId, defaultPriority) : urgencies[kind]},
        ${kind === 'start' ? ofJob(sql`organization_id`, subjectId, 0) : 0})
      ON CONFLICT (subject_id, kind) DO UPDATE SET next_try_at = now(), asked = old.asked + 1)
    SELECT pg_notify(${channels.outbox}, '')`)
}

const ofJob = (column: SQL, jobId: number, otherwise: number) =>
  sql`coalesce((SELECT ${column} FROM ${unifiedJobs} WHERE id = ${jobId}), ${otherwise})`

/** How a claim is made; all have defaults. */
export interface ClaimOptions {
  /** For tests; else the database's clock decides. */
  now?: Date
  /** Default: any. `false` where starts are held back for now. */
  starts?: boolean
}

/**
 * Claims due rows for the caller to send, the most urgent first; of starts of one priority each organization's by its weight, oldest first. One in eight is the oldest of all.
 * Other senders pass them over; a claim that is neither reported as sent nor as failed ends by itself, so a crash sends again.
 */
export async function claimOutbox(
  db: Database,
  limit: number,
  { now, starts = true }: ClaimOptions = {},
): Promise<OutboxRow[]> {
  const clock = now ? sql`${now.toISOString()}::timestamptz` : sql`now()`
  const allowed = starts ? sql`true` : sql`urgency NOT BETWEEN 1 AND 5`
  const oldest = Math.floor(limit / oldestOneIn)
  // The lines (one for each urgency and organization) are found by skipping through the index, and only the head of each is read: a claim
  // costs the same however many messages wait. Organizations take turns: the n-th message of one with weight w counts n/w.
  const due = sql`
    WITH RECURSIVE line AS (
      (SELECT urgency, organization_id FROM ${outbox} ORDER BY urgency, organization_id LIMIT 1)
      UNION ALL
      SELECT next.urgency, next.organization_id FROM line CROSS JOIN LATERAL (
        SELECT urgency, organization_id FROM ${outbox} AS message
        WHERE (message.urgency, message.organization_id) > (line.urgency, line.organization_id)
        ORDER BY urgency, organization_id LIMIT 1) AS next),
    head AS (
      SELECT message.id, line.urgency,
        row_number() OVER (PARTITION BY line.urgency, line.organization_id ORDER BY message.id)
          / coalesce((SELECT fair_share_weight FROM organizations WHERE id = line.organization_id), 1) AS turn
      FROM line CROSS JOIN LATERAL (
        SELECT id FROM ${outbox} AS message
        WHERE message.urgency = line.urgency AND message.organization_id = line.organization_id
          AND next_try_at <= ${clock}
        ORDER BY id LIMIT ${limit} FOR UPDATE SKIP LOCKED) AS message
      WHERE ${allowed}),
    oldest AS (
      SELECT id FROM ${outbox} WHERE next_try_at <= ${clock} AND ${allowed}
      ORDER BY next_try_at, id LIMIT ${oldest} FOR UPDATE SKIP LOCKED),
    urgent AS (
      SELECT id FROM head WHERE id NOT IN (SELECT id FROM oldest)
      ORDER BY urgency, turn, id LIMIT ${limit} - (SELECT count(*) FROM oldest))
    SELECT id FROM urgent UNION ALL SELECT id FROM oldest`
  const claimed = await db
    .update(outbox)
    .set({ nextTryAt: sql`${clock} + ${claimedFor}`, tries: sql`${outbox.tries} + 1` })
    .where(sql`${outbox.id} IN (${due})`)
    .returning()
  return claimed.sort((one, other) => one.urgency - other.urgency || one.id - other.id)
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
