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
  return sql`CASE WHEN ${job}.${isOfKind} AND ${job}.workflow_job_id IS NULL AND json_array_length(${job}.eligible_groups) > 0
    THEN ${groupsKey(job)} ELSE '' END`
}

/** The key of a job's groups, of a row of `unified_jobs` (or, as in the definition of an index, without saying of which): that of the line, where the job joins one. */
export function groupsKey(job?: SQL): SQL {
  return sql`md5(${of(job)}eligible_groups::text)`
}

/**
 * Which rows of `unified_jobs` stand in line in Temporal: prepared, and waiting for nothing but a place. Jobs of workflow jobs do not count: they are never held back, and many of
 * them would hold back the others for ever. There is an index of these rows, so a change needs a migration.
 */
export function standing(job?: SQL): SQL {
  const row = of(job)
  return sql`${row}status = 'pending' AND ${row}waiting_since IS NOT NULL AND ${row}waiting_reason = '' AND ${row}workflow_job_id IS NULL AND ${row}${isOfKind}`
}

/** Jobs that a line may hold back, by their type; begins with the column's name. */
export const isOfKind = sql`type IN ('job', 'ad_hoc_command')`

const of = (row: SQL | undefined): SQL => (row ? sql`${row}.` : sql``)
