import { eq } from 'drizzle-orm'
import type { Database } from './database.ts'
import { deleteSchedulesOf } from './schedules/next-run.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { workflowJobNodes } from './schema/workflow-jobs.ts'
import { workflowJobTemplateNodes } from './schema/workflows.ts'

/**
 * Empties what refers to a template of any kind that is being deleted, in the same transaction: the shared id space of templates allows no foreign keys.
 * Nodes stay, without a template; schedules go.
 */
export async function forgetTemplate(tx: Database, templateId: number): Promise<void> {
  for (const table of [workflowJobTemplateNodes, workflowJobNodes]) {
    await tx
      .update(table)
      .set({ unifiedJobTemplateId: null, templateType: null })
      .where(eq(table.unifiedJobTemplateId, templateId))
  }
  await deleteSchedulesOf(tx, templateId)
  await tx
    .update(unifiedJobs)
    .set({ unifiedJobTemplateId: null })
    .where(eq(unifiedJobs.unifiedJobTemplateId, templateId))
}
