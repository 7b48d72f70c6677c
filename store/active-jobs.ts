import { and, asc, inArray, notExists, sql } from 'drizzle-orm'
import { activeStatuses } from '../model/job.ts'
import type { Database } from './database.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { outbox } from './schema/runtime.ts'

/**
 * Jobs that should have a workflow: active, at least `ageSeconds` old, and with nothing waiting in the outbox; with the run that owns them,
 * if one does yet. Those whose workflow is gone were left behind.
 */
export async function activeJobs(db: Database, ageSeconds: number): Promise<{ jobId: number; runId: string | null }[]> {
  return await db
    .select({ jobId: unifiedJobs.id, runId: unifiedJobs.runId })
    .from(unifiedJobs)
    .where(
      and(
        inArray(unifiedJobs.status, [...activeStatuses]),
        sql`${unifiedJobs.created} < now() - make_interval(secs => ${ageSeconds})`,
        notExists(db.select({ one: sql`1` }).from(outbox).where(sql`${outbox.jobId} = ${unifiedJobs.id}`)),
      ),
    )
    .orderBy(asc(unifiedJobs.id))
}
