import { and, asc, inArray, notExists, sql } from 'drizzle-orm'
import { activeStatuses } from '../model/job.ts'
import type { Database } from './database.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { outbox } from './schema/runtime.ts'

/**
 * Jobs that should have a workflow: active, at least `ageSeconds` old, and with nothing waiting in the outbox. Those whose workflow is
 * gone were left behind.
 */
export async function activeJobIds(db: Database, ageSeconds: number): Promise<number[]> {
  const rows = await db
    .select({ id: unifiedJobs.id })
    .from(unifiedJobs)
    .where(
      and(
        inArray(unifiedJobs.status, [...activeStatuses]),
        sql`${unifiedJobs.created} < now() - make_interval(secs => ${ageSeconds})`,
        notExists(db.select({ one: sql`1` }).from(outbox).where(sql`${outbox.jobId} = ${unifiedJobs.id}`)),
      ),
    )
    .orderBy(asc(unifiedJobs.id))
  return rows.map((row) => row.id)
}
