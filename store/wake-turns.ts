import { sql } from 'drizzle-orm'
import { channels } from './channel.ts'
import type { Database } from './database.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { outbox } from './schema/runtime.ts'
import { blockers, oldest, resting, restingUrgency, sendResting } from './turn-line.ts'

/** Starts of a template that is gone that are sent with one look, at most. */
const mostLost = sql.raw('1000')

/**
 * Has the starts sent that rest although it is their job's turn: the one before ended in the moment of their launch, or while somebody was about to cancel them. Of each template that starts wait for, which
 * are found by skipping through the index of lines, only the oldest job is looked at. Those of jobs that are no more of their template, because it was deleted, are sent all; those of jobs that are gone are forgotten. Returns how many there were.
 */
export async function wakeTurns(db: Database): Promise<number> {
  const urgency = sql.raw(String(restingUrgency))
  const { rows } = await db.execute<{ sent: number }>(sql`
    WITH RECURSIVE line AS (
      (SELECT line AS key FROM ${outbox} WHERE urgency = ${urgency} AND organization_id = 0 ORDER BY line LIMIT 1)
      UNION ALL
      SELECT next.line FROM line CROSS JOIN LATERAL (SELECT line FROM ${outbox} AS message
        WHERE urgency = ${urgency} AND organization_id = 0 AND message.line > line.key ORDER BY line LIMIT 1) AS next),
    head AS MATERIALIZED (SELECT line.key, first.id, line.key::int AS unified_job_template_id
      FROM line LEFT JOIN LATERAL (${oldest(sql`line.key::int`, 'pending')}) AS first ON true),
    next AS MATERIALIZED (SELECT id FROM head WHERE id IS NOT NULL AND NOT EXISTS (${blockers(sql`head`)})),
    lost AS MATERIALIZED (SELECT start.* FROM (SELECT key FROM head WHERE id IS NULL) AS line CROSS JOIN LATERAL (
      SELECT id, subject_id FROM ${outbox} AS message
      WHERE urgency = ${urgency} AND organization_id = 0 AND message.line >= line.key AND message.line <= line.key
      ORDER BY message.line, id LIMIT ${mostLost}) AS start),
    ready AS (SELECT message.id FROM ${outbox} AS message WHERE ${resting(sql`message`)}
      AND (message.subject_id = ANY(ARRAY(SELECT id FROM next)) OR message.id = ANY(ARRAY(SELECT id FROM lost)))
      FOR UPDATE SKIP LOCKED),
    sent AS (${sendResting(sql`ready`)}),
    gone AS (DELETE FROM ${outbox} WHERE id = ANY(ARRAY(
      SELECT id FROM lost WHERE NOT EXISTS (SELECT FROM ${unifiedJobs} AS job WHERE job.id = lost.subject_id))))
    SELECT count(*)::int AS sent, CASE WHEN count(*) > 0 THEN pg_notify(${channels.outbox}, '') END FROM sent`)
  return rows[0]?.sent ?? 0
}
