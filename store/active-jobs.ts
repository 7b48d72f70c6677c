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
        notExists(
          db
            .select({ one: sql`1` })
            .from(outbox)
            .where(sql`${outbox.subjectId} = ${unifiedJobs.id} AND ${outbox.kind} IN ('start', 'cancel')`),
        ),
        // A node's job is started by the workflow of its workflow job; as long as that one lives, it is not left behind.
        sql`(${unifiedJobs.runId} IS NOT NULL OR NOT EXISTS (
          SELECT 1 FROM ${unifiedJobs} AS parent WHERE parent.id = ${unifiedJobs.workflowJobId} AND parent.finished IS NULL))`,
      ),
    )
    .orderBy(asc(unifiedJobs.id))
}
