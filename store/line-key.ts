import { type SQL, sql } from 'drizzle-orm'

/**
 * How many jobs of a line stand open in Temporal, waiting for nothing but a place; the start of every further one rests in the outbox. Enough that a line never runs dry between two looks at
 * it: a worker of one machine ends 30 jobs a second, so these last for a quarter of a minute, and a look follows each place that is given back within 0.2 s, else within 5 s.
 * Few enough that what waits costs Temporal next to nothing, however many there are.
 */
export const lineDepth = 500

/**
 * The line that a job joins, of a row of `unified_jobs`: jobs of one priority and organization with the same groups, which are frozen at launch, are served in the order in which they come. As
 * short as this however many groups there are; '' for jobs that no line holds back: those that need no pod or that others wait for, those without a group, and those that their workflow job starts.
 */
export function lineKey(job: SQL): SQL {
  return sql`CASE WHEN ${job}.type IN ('job', 'ad_hoc_command') AND ${job}.workflow_job_id IS NULL AND json_array_length(${job}.eligible_groups) > 0
    THEN md5(${job}.eligible_groups::text) ELSE '' END`
}

/**
 * Which rows of `unified_jobs` stand in line in Temporal: prepared, and waiting for nothing but a place. In the words of their index (store/schema/jobs.ts). Jobs of
 * workflow jobs do not count: they are never held back, and many of them would hold back the others for ever.
 */
export function standing(job: SQL): SQL {
  return sql`${job}.status = 'pending' AND ${job}.waiting_since IS NOT NULL AND ${job}.waiting_reason = ''
    AND ${job}.workflow_job_id IS NULL AND ${job}.type IN ('job', 'ad_hoc_command')`
}
