import { sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import type { OutboxRow } from './outbox.ts'
import { unifiedJobs } from './schema/jobs.ts'

/** A start that is sent later than this after its launch, or after its turn came, rested, because its line was long enough. */
const restedMs = 1_000

/**
 * Notes of jobs whose starts rested in the outbox that they wait for a place since their launch, or since their turn came: so they keep their turn, and the right to one place in ten (store/raise-starved.ts), although they
 * come to stand in Temporal's line only now. To be called before their starts are sent; nothing is written where none rested.
 */
export async function noteRested(
  db: Database,
  starts: readonly Pick<OutboxRow, 'subjectId' | 'line' | 'created'>[],
  now = Date.now(),
): Promise<void> {
  const rested = starts.filter(({ line, created }) => line !== '' && now - Date.parse(created) > restedMs)
  if (rested.length === 0) return
  const values = rested.map(({ subjectId, created }) => sql`(${subjectId}::int, ${created}::timestamptz)`)
  await db.execute(sql`UPDATE ${unifiedJobs} AS job SET waiting_since = start.created
    FROM (VALUES ${sql.join(values, sql`, `)}) AS start(id, created)
    WHERE job.id = start.id AND job.status = 'pending' AND job.waiting_reason = '' AND job.waiting_since IS NULL`)
}
