import { eq, type Placeholder, type SQL, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { MissingRowError } from './errors.ts'
import { preparedOn } from './prepared.ts'
import { unifiedJobs } from './schema/jobs.ts'

/**
 * A condition of a statement that writes an attempt: it locks the attempt's job first. All who write to both, or delete a job with its
 * attempts, lock in this order, so that none waits for another crosswise.
 */
export function jobLocked(attemptId: number | Placeholder): SQL {
  return sql`attempts.job_id = (
    SELECT id FROM unified_jobs WHERE id = (SELECT job_id FROM attempts WHERE id = ${attemptId}) FOR NO KEY UPDATE)`
}

const lockedJob = preparedOn((db) =>
  db
    .select()
    .from(unifiedJobs)
    .where(eq(unifiedJobs.id, sql.placeholder('jobId')))
    // NO KEY UPDATE: rows that refer to the job (events being stored) need not wait.
    .for('no key update')
    .prepare('locked_job'),
)

/** Locks a job's row against other changes until the caller's transaction ends, and reads it; undefined when there is none. */
export async function lockJobIfThere(
  tx: Database,
  jobId: number,
): Promise<typeof unifiedJobs.$inferSelect | undefined> {
  const [job] = await lockedJob(tx).execute({ jobId })
  return job
}

/** As lockJobIfThere. Throws MissingRowError. */
export async function lockJob(tx: Database, jobId: number): Promise<typeof unifiedJobs.$inferSelect> {
  const job = await lockJobIfThere(tx, jobId)
  if (!job) throw new MissingRowError(`job ${jobId} does not exist`)
  return job
}
