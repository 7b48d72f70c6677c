import { type SQL, sql } from 'drizzle-orm'
import { finalStatuses, type JobType, jobTypes } from '../../model/job.ts'
import type { Database } from '../database.ts'
import { hosts } from '../schema/inventory.ts'
import { jobEvents, unifiedJobs } from '../schema/jobs.ts'
import { jobTemplates, projects } from '../schema/templates.ts'
import { inventorySources, systemJobTemplates } from '../schema/updates.ts'
import { workflowJobTemplates } from '../schema/workflows.ts'

/** Jobs that are deleted together, and events: small enough that nobody waits for long, and that a cancellation is heard soon. */
const jobsAtOnce = 200
const eventsAtOnce = 20_000

/** What remembers its last job without a foreign key. */
const parents = [jobTemplates, projects, inventorySources, systemJobTemplates, workflowJobTemplates]

/** How many old jobs of a kind were deleted, and how many stay because they are at work or belong to a workflow that is. */
export interface CleanedJobs {
  type: JobType
  deleted: number
  skipped: number
}

/**
 * Deletes jobs of every kind that were made before the instant (ISO 8601), with all that belongs to them, a few at a time; never one that has not ended,
 * or whose workflow job has not. `dryRun` only counts. Stops between two steps when `signal` aborts.
 */
export async function deleteOldJobs(
  db: Database,
  before: string,
  { dryRun, signal }: { dryRun: boolean; signal: AbortSignal },
): Promise<CleanedJobs[]> {
  const cleaned: CleanedJobs[] = []
  for (const type of jobTypes) {
    signal.throwIfAborted()
    const [counted] = (
      await db.execute<{ old: number; deletable: number }>(sql`
        SELECT count(*)::int AS old, (count(*) FILTER (WHERE ${deletable}))::int AS deletable
        FROM ${unifiedJobs} job WHERE job.type = ${type} AND job.created < ${before}::timestamptz`)
    ).rows
    const { old, deletable: removable } = counted ?? { old: 0, deletable: 0 }
    const deleted = dryRun ? removable : await deleteOfType(db, type, before, signal)
    cleaned.push({ type, deleted, skipped: Math.max(old - deleted, 0) })
  }
  return cleaned
}

/** Of `job`: it has ended, and so has the workflow job that it is a part of. */
const deletable: SQL = sql`job.status IN ${[...finalStatuses]} AND NOT EXISTS (
  SELECT 1 FROM ${unifiedJobs} parent WHERE parent.id = job.workflow_job_id AND parent.status NOT IN ${[...finalStatuses]})`

async function deleteOfType(db: Database, type: JobType, before: string, signal: AbortSignal): Promise<number> {
  let deleted = 0
  for (;;) {
    signal.throwIfAborted()
    const { rows } = await db.execute<{ id: number }>(sql`
      SELECT job.id FROM ${unifiedJobs} job
      WHERE job.type = ${type} AND job.created < ${before}::timestamptz AND ${deletable}
      ORDER BY job.id LIMIT ${jobsAtOnce}`)
    if (rows.length === 0) return deleted
    deleted += await deleteBatch(db, sql`${sql.param(rows.map(({ id }) => id))}::int[]`, signal)
  }
}

async function deleteBatch(db: Database, ids: SQL, signal: AbortSignal): Promise<number> {
  for (;;) {
    signal.throwIfAborted()
    const { rows } = await db.execute(sql`
      DELETE FROM ${jobEvents} WHERE id IN (SELECT id FROM ${jobEvents} WHERE job_id = ANY(${ids}) LIMIT ${eventsAtOnce}) RETURNING 1`)
    if (rows.length < eventsAtOnce) break
  }
  return await db.transaction(async (tx) => {
    const { rows } = await tx.execute<{ id: number }>(sql`
      DELETE FROM ${unifiedJobs} WHERE id = ANY(${ids}) AND status IN ${[...finalStatuses]} RETURNING id`)
    for (const parent of parents)
      await tx.execute(sql`UPDATE ${parent} SET last_job_id = NULL WHERE last_job_id = ANY(${ids})`)
    await tx.execute(
      sql`UPDATE ${hosts} SET last_job_id = NULL, last_job_host_summary_id = NULL WHERE last_job_id = ANY(${ids})`,
    )
    return rows.length
  })
}
