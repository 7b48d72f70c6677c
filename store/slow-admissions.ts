import { sql } from 'drizzle-orm'
import type { Database } from './database.ts'

/** A place that was claimed, and whose job has no pod, or none that its workflow is known to have heard of. */
export interface SlowAdmission {
  attemptId: number
  jobId: number
  groupId: number
  /** The run that claimed it. */
  runId: string
}

/** Nearly every job has its pod within less. */
const slowSeconds = 5
/** A worker that did not sign for this long (it signs every five seconds) may have died ... */
const missedSeconds = 8
/** ... and after this long nothing is left that it was about to do. */
const pastSeconds = 120

/**
 * Places that were claimed a while ago by admissions that are not over, oldest first. Whether anybody is at work on them only Temporal knows. One that has made its pod is over but for telling so, which is
 * doubted only where a worker was there lately and is not now. Reads the live attempts of each group by their index.
 */
export async function slowAdmissions(db: Database): Promise<SlowAdmission[]> {
  const ago = (seconds: number) => sql`now() - make_interval(secs => ${seconds})`
  const { rows } = await db.execute<{ [Key in keyof SlowAdmission]: SlowAdmission[Key] }>(sql`
    SELECT attempt.id AS "attemptId", attempt.job_id AS "jobId", attempt.instance_group_id AS "groupId", attempt.run_id AS "runId"
    FROM instance_groups JOIN attempts attempt ON attempt.instance_group_id = instance_groups.id
    WHERE attempt.released_at IS NULL AND attempt.claimed_at < ${ago(slowSeconds)} AND (attempt.phase = 'claimed'
      OR (attempt.phase = 'created' AND EXISTS (SELECT FROM workers WHERE seen BETWEEN ${ago(pastSeconds)} AND ${ago(missedSeconds)})))
    ORDER BY attempt.id`)
  return rows
}
