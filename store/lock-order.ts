import { type Placeholder, type SQL, sql } from 'drizzle-orm'

/**
 * A condition of a statement that writes an attempt: it locks the attempt's job first. All who write to both, or delete a job with its
 * attempts, lock in this order, so that none waits for another crosswise.
 */
export function jobLocked(attemptId: number | Placeholder): SQL {
  return sql`attempts.job_id = (
    SELECT id FROM unified_jobs WHERE id = (SELECT job_id FROM attempts WHERE id = ${attemptId}) FOR NO KEY UPDATE)`
}
