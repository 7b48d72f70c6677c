import { type SQL, sql } from 'drizzle-orm'
import { isFinal } from '../model/job.ts'
import type { Database } from './database.ts'
import type { unifiedJobs } from './schema/jobs.ts'
import { jobTemplates, projects } from './schema/templates.ts'
import { inventorySources, systemJobTemplates } from './schema/updates.ts'
import { workflowApprovalTemplates, workflowJobTemplates } from './schema/workflows.ts'

/** The columns of a job that its template or project shows, or that say which one it is. */
export type ParentFacts = Pick<
  typeof unifiedJobs.$inferSelect,
  'id' | 'type' | 'launchType' | 'isSlicedJob' | 'unifiedJobTemplateId' | 'status' | 'failed' | 'finished'
>

/**
 * Keeps `status`, `current_job` and the `last_job…` fields of the template or project that a job was made from, as AWX does on every save: while
 * the job is active it is the current one (waiting does not count), at its end the last one. Undefined where there is nothing to keep.
 */
export function parentUpdate(job: ParentFacts): SQL | undefined {
  const parentId = job.unifiedJobTemplateId
  if (parentId === null || job.status === 'waiting') return undefined
  // A sync for another job's run is no update of the project: its revision and playbooks stay those of the last update.
  if (job.type === 'project_update' && job.launchType === 'sync') return undefined
  const parent = parentTable(job)
  if (!parent) return undefined
  if (!isFinal(job.status))
    return sql`UPDATE ${parent} SET status = ${job.status}, current_job_id = ${job.id} WHERE id = ${parentId}`
  return sql`UPDATE ${parent} SET status = ${job.status}, last_job_id = ${job.id}, last_job_failed = ${job.failed},
    last_job_run = coalesce(${job.finished}::timestamptz, now()), current_job_id = nullif(current_job_id, ${job.id})
    WHERE id = ${parentId}`
}

/** Does that alone. */
export async function tellParent(tx: Database, job: typeof unifiedJobs.$inferSelect): Promise<void> {
  const update = parentUpdate(job)
  if (update) await tx.execute(update)
}

/** The table of what a job was made from; none for ad hoc commands. A sliced job is made from a job template. */
export function parentTable({ type, isSlicedJob }: Pick<typeof unifiedJobs.$inferInsert, 'type' | 'isSlicedJob'>) {
  if (isSlicedJob) return jobTemplates
  const tables = {
    job: jobTemplates,
    project_update: projects,
    inventory_update: inventorySources,
    system_job: systemJobTemplates,
    workflow_job: workflowJobTemplates,
    workflow_approval: workflowApprovalTemplates,
    ad_hoc_command: undefined,
  }
  return tables[type]
}
