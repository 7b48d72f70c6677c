import { and, eq, sql } from 'drizzle-orm'
import { channels } from './channel.ts'
import type { Database } from './database.ts'
import { unifiedJobs } from './schema/jobs.ts'

/**
 * Says of a pending job for what it waits: `reason` is the short machine-readable word, `explanation` the sentence for job_explanation.
 * Stamps the beginning of the wait once. Does nothing, and notifies nobody, when nothing changed or the job is not pending.
 */
export async function explainWaiting(db: Database, jobId: number, reason: string, explanation: string): Promise<void> {
  await db
    .update(unifiedJobs)
    .set({
      waitingSince: sql`coalesce(${unifiedJobs.waitingSince}, now())`,
      waitingReason: reason,
      jobExplanation: explanation,
    })
    .where(
      and(
        eq(unifiedJobs.id, jobId),
        eq(unifiedJobs.status, 'pending'),
        sql`(${unifiedJobs.waitingReason}, ${unifiedJobs.jobExplanation}) IS DISTINCT FROM (${reason}, ${explanation})`,
      ),
    )
    .returning({ told: sql`pg_notify(${channels.jobs}, ${unifiedJobs.id}::text)` })
}
