import { randomUUID } from 'node:crypto'
import { count, eq } from 'drizzle-orm'
import type { Prompts } from '../../model/prompts.ts'
import type { Database } from '../database.ts'
import type { JobRow } from '../job-status.ts'
import { hosts } from '../schema/inventory.ts'
import { workflowJobNodes } from '../schema/workflow-jobs.ts'
import { createJob } from './create-job.ts'
import type { newJob } from './new-job.ts'
import type { TemplateRow } from './sources.ts'

/** Whether a launch may cut its job into slices; or which slice the job is. */
export type Slicing = 'allowed' | 'never' | { number: number; count: number }

/** AWX's objection to slices that were asked for where there is nothing to share out. */
export const tooFewHosts = 'Job inventory does not have enough hosts for slicing'

/** Slices that a launch asks for. */
export function wantedSlices(template: TemplateRow, accepted: Prompts): number {
  // A container has no hosts to share out.
  return template.container ? 1 : Math.max(1, accepted.job_slice_count ?? template.jobSliceCount)
}

/** Slices that a launch gets: no more than the inventory has hosts, disabled ones included. Asks the database only where slices are wanted. */
export async function effectiveSlices(db: Database, template: TemplateRow, accepted: Prompts): Promise<number> {
  const wanted = wantedSlices(template, accepted)
  const inventoryId = accepted.inventory ?? template.inventoryId
  if (wanted <= 1 || inventoryId === null) return wanted
  return Math.max(1, Math.min(wanted, await hostCount(db, inventoryId)))
}

/** Hosts of an inventory, disabled ones included. */
export async function hostCount(db: Database, inventoryId: number): Promise<number> {
  const [row] = await db.select({ hosts: count() }).from(hosts).where(eq(hosts.inventoryId, inventoryId))
  return row?.hosts ?? 0
}

/** Makes the workflow job of a sliced launch: one node for each slice, all of them roots. `job` is what an unsliced job would be. */
export async function makeSlicedJob(
  tx: Database,
  { values, more }: ReturnType<typeof newJob>,
  slices: number,
): Promise<JobRow> {
  const { credentialIds: _credentials, ...rest } = more
  const row = await createJob(
    tx,
    {
      type: 'workflow_job',
      isSlicedJob: true,
      name: values.name,
      description: values.description,
      unifiedJobTemplateId: values.unifiedJobTemplateId,
      jobTemplateId: values.jobTemplateId,
      organizationId: values.organizationId,
      launchType: values.launchType,
      createdById: values.createdById,
      workflowJobId: values.workflowJobId,
      scheduleId: values.scheduleId,
      webhookService: values.webhookService,
      webhookCredentialId: values.webhookCredentialId,
      webhookGuid: values.webhookGuid,
      launchConfig: values.launchConfig,
      inventoryId: values.inventoryId,
      limit: values.limit,
      scmBranch: values.scmBranch,
      jobTags: values.jobTags,
      skipTags: values.skipTags,
      extraVars: values.extraVars,
      allowSimultaneous: values.allowSimultaneous,
      priority: values.priority,
      childPriority: values.priority,
    },
    rest,
  )
  await tx.insert(workflowJobNodes).values(
    Array.from({ length: slices }, (_, index) => ({
      workflowJobId: row.id,
      unifiedJobTemplateId: values.unifiedJobTemplateId,
      templateType: 'job_template' as const,
      identifier: randomUUID(),
      jobSlice: index + 1,
    })),
  )
  return row
}
