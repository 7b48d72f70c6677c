import { and, asc, eq, isNotNull, sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { enqueue } from '../outbox.ts'
import { schedules } from '../schema/schedules.ts'
import { jobTemplates, projects } from '../schema/templates.ts'
import { inventorySources, systemJobTemplates } from '../schema/updates.ts'
import { workflowJobTemplates } from '../schema/workflows.ts'
import { unifiedJobTemplates } from '../unified-templates.ts'

/** Tables of what can be launched by a schedule, by the kind of the template. */
const tables = {
  job_template: jobTemplates,
  project: projects,
  inventory_source: inventorySources,
  system_job_template: systemJobTemplates,
  workflow_job_template: workflowJobTemplates,
}
/** Kind of what a schedule launches. */
export type ScheduledType = keyof typeof tables

/** The kind of a template that schedules may have; null for any other and for none. */
export async function scheduledType(db: Database, templateId: number): Promise<ScheduledType | null> {
  const [found] = await db
    .select({ type: unifiedJobTemplates.type })
    .from(unifiedJobTemplates)
    .where(eq(unifiedJobTemplates.id, templateId))
  return found && found.type in tables ? (found.type as ScheduledType) : null
}

/** Shows at a template which of its schedules runs next, and when. (AWX shows the one that runs last of all.) */
export async function tellTemplate(tx: Database, templateId: number): Promise<void> {
  const type = await scheduledType(tx, templateId)
  if (!type) return
  const [next] = await tx
    .select({ id: schedules.id, nextRun: schedules.nextRun })
    .from(schedules)
    .where(and(eq(schedules.unifiedJobTemplateId, templateId), isNotNull(schedules.nextRun)))
    .orderBy(asc(schedules.nextRun), asc(schedules.id))
    .limit(1)
  const table = tables[type]
  const changes = { nextJobRun: next?.nextRun ?? null, nextScheduleId: next?.id ?? null }
  await tx
    .update(table)
    .set(changes)
    .where(
      and(
        eq(table.id, templateId),
        sql`(${table.nextJobRun} IS DISTINCT FROM ${changes.nextJobRun} OR ${table.nextScheduleId} IS DISTINCT FROM ${changes.nextScheduleId})`,
      ),
    )
}

/** Deletes the schedules of a template that is being deleted, and has Temporal told. */
export async function deleteSchedulesOf(tx: Database, templateId: number): Promise<void> {
  const gone = await tx
    .delete(schedules)
    .where(eq(schedules.unifiedJobTemplateId, templateId))
    .returning({ id: schedules.id })
  for (const { id } of gone) await enqueue(tx, 'plan_schedule', id)
}
