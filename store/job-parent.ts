import { and, eq } from 'drizzle-orm'
import { isFinal } from '../model/job.ts'
import type { Database } from './database.ts'
import type { unifiedJobs } from './schema/jobs.ts'
import { jobTemplates, projects } from './schema/templates.ts'
import { inventorySources, systemJobTemplates } from './schema/updates.ts'
import { workflowApprovalTemplates, workflowJobTemplates } from './schema/workflows.ts'

/**
 * Keeps `status`, `current_job` and the `last_job…` fields of the template or project that a job was made from, as AWX does on every save: while
 * the job is active it is the current one (waiting does not count), at its end the last one.
 */
export async function tellParent(tx: Database, job: typeof unifiedJobs.$inferSelect): Promise<void> {
  const parentId = job.unifiedJobTemplateId
  if (parentId === null || job.status === 'waiting') return
  // A sync for another job's run is no update of the project: its revision and playbooks stay those of the last update.
  if (job.type === 'project_update' && job.launchType === 'sync') return
  const parent = parentTable(job)
  if (!parent) return
  if (!isFinal(job.status)) {
    await tx.update(parent).set({ status: job.status, currentJobId: job.id }).where(eq(parent.id, parentId))
    return
  }
  await tx
    .update(parent)
    .set({ status: job.status, lastJobId: job.id, lastJobFailed: job.failed, lastJobRun: job.finished })
    .where(eq(parent.id, parentId))
  await tx
    .update(parent)
    .set({ currentJobId: null })
    .where(and(eq(parent.id, parentId), eq(parent.currentJobId, job.id)))
}

/** The table of what a job was made from; none for ad hoc commands. A sliced job is made from a job template. */
export function parentTable({ type, isSlicedJob }: Pick<typeof unifiedJobs.$inferSelect, 'type' | 'isSlicedJob'>) {
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
