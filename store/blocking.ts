import { sql } from 'drizzle-orm'
import { channels } from './channel.ts'
import type { Database } from './database.ts'
import { idList } from './group-load.ts'
import { enqueue } from './outbox.ts'
import { preparedSql } from './prepared.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { outbox } from './schema/runtime.ts'
import { blockers, isSerialised, oldest, resting, type Serialised, sendResting } from './turn-line.ts'

type SerialisedJob = Serialised & Pick<typeof unifiedJobs.$inferSelect, 'id'>

/** Another job that one waits for. */
export interface Blocker {
  id: number
  type: string
}

/**
 * The job that this one must wait for, because their template allows only one at a time: one that has started, else an older one that
 * waits as well. Null when it is this one's turn.
 */
export async function blockerOf(db: Database, job: SerialisedJob): Promise<Blocker | null> {
  if (!isSerialised(job)) return null
  const { rows } = await blocking(db, undefined).execute({ jobId: job.id, templateId: job.unifiedJobTemplateId })
  return rows[0] ?? null
}

const blocking = preparedSql<undefined, Blocker>(
  'blocker_of',
  () => '',
  () => sql`SELECT blocker.id, blocker.type
    FROM (SELECT ${sql.placeholder('jobId')}::int AS id, ${sql.placeholder('templateId')}::int AS unified_job_template_id OFFSET 0) AS job
      CROSS JOIN LATERAL (${blockers(sql`job`)}) AS blocker
    ORDER BY blocker.id LIMIT 1`,
)

/** Of jobs whose starts rest until it is their turn (store/turn-line.ts), the jobs that they wait for; a job that waits for none any more is left out. */
export async function blockersOfResting(db: Database, jobIds: readonly number[]): Promise<Map<number, Blocker>> {
  if (jobIds.length === 0) return new Map()
  const { rows } = await db.execute<{ job_id: number; id: number; type: string }>(sql`
    SELECT job.id AS job_id, blocker.id, blocker.type
    FROM ${outbox} AS start JOIN ${unifiedJobs} AS job ON job.id = start.subject_id
      CROSS JOIN LATERAL (SELECT * FROM (${blockers(sql`job`)}) AS each ORDER BY id LIMIT 1) AS blocker
    WHERE start.subject_id = ANY(${idList(jobIds)}) AND ${resting(sql`start`)}`)
  return new Map(rows.map(({ job_id, id, type }) => [job_id, { id, type }]))
}

/** AWX's sentence for a job that waits for another one. */
export function waitingFor({ id, type }: Blocker): string {
  return `waiting for ${type}-${id} to finish`
}

/**
 * Wakes the next job of the template when one has ended; in the transaction that ends it. One whose start rests is sent, if nothing else is before it; any other has perhaps a workflow, which looks again.
 */
export async function wakeNext(tx: Database, job: SerialisedJob): Promise<void> {
  if (!isSerialised(job)) return
  const { rows } = await waking(tx, undefined).execute({ jobId: job.id, templateId: job.unifiedJobTemplateId })
  const [next] = rows
  if (next && !next.rests) await enqueue(tx, 'progress', next.id)
}

const template = sql`${sql.placeholder('templateId')}::int`

// A start that somebody has locked is passed over: its job is being cancelled, by whom the next one is woken. Two that waited for each other's starts might do so crosswise.
const waking = preparedSql<undefined, { id: number; rests: boolean }>(
  'wake_next',
  () => '',
  () => sql`
    WITH next AS MATERIALIZED (SELECT id, ${template} AS unified_job_template_id
      FROM (${oldest(template, 'pending', sql`other.id <> ${sql.placeholder('jobId')}::int`)}) AS first),
    ready AS (SELECT message.id FROM next JOIN ${outbox} AS message ON message.subject_id = next.id AND ${resting(sql`message`)}
      WHERE NOT EXISTS (${blockers(sql`next`)}) FOR UPDATE OF message SKIP LOCKED),
    sent AS (${sendResting(sql`ready`)})
    SELECT next.id, EXISTS (SELECT FROM ${outbox} AS message WHERE message.subject_id = next.id AND ${resting(sql`message`)}) AS rests,
      (SELECT pg_notify(${channels.outbox}, '') FROM sent LIMIT 1) FROM next`,
)
