import { inArray } from 'drizzle-orm'
import type { ScheduleRow } from '../../store/schedules/runs.ts'
import { jobTemplates } from '../../store/schema/templates.ts'
import { inventorySources, systemJobTemplates } from '../../store/schema/updates.ts'
import { workflowJobTemplates } from '../../store/schema/workflows.ts'
import { unifiedJobTemplates } from '../../store/unified-templates.ts'
import type { RequestContext } from '../context.ts'
import { loadSummaries } from '../summary.ts'

/** What a schedule shows of the template that it launches. */
interface ScheduledTemplate {
  type: string
  jobType: string | null
  projectId: number | null
  inventoryId: number | null
}

const cacheKey = 'templates of schedules'

/** Templates of a page of schedules by id, with what only some kinds have; each is read once a request. */
async function scheduledTemplates(
  ids: readonly number[],
  context: RequestContext,
): Promise<Map<number, ScheduledTemplate>> {
  const known = templatesKnown(context)
  const missing = [...new Set(ids)].filter((id) => !known.has(id))
  if (missing.length === 0) return known
  const { db } = context
  const [kinds, plays, workflows, sources, systems] = await Promise.all([
    db
      .select({ id: unifiedJobTemplates.id, type: unifiedJobTemplates.type })
      .from(unifiedJobTemplates)
      .where(inArray(unifiedJobTemplates.id, missing)),
    db
      .select({ id: jobTemplates.id, projectId: jobTemplates.projectId, inventoryId: jobTemplates.inventoryId })
      .from(jobTemplates)
      .where(inArray(jobTemplates.id, missing)),
    db
      .select({ id: workflowJobTemplates.id, inventoryId: workflowJobTemplates.inventoryId })
      .from(workflowJobTemplates)
      .where(inArray(workflowJobTemplates.id, missing)),
    db
      .select({ id: inventorySources.id, inventoryId: inventorySources.inventoryId })
      .from(inventorySources)
      .where(inArray(inventorySources.id, missing)),
    db
      .select({ id: systemJobTemplates.id, jobType: systemJobTemplates.jobType })
      .from(systemJobTemplates)
      .where(inArray(systemJobTemplates.id, missing)),
  ])
  const details = new Map<number, Partial<ScheduledTemplate>>(
    [...plays, ...workflows, ...sources, ...systems].map(({ id, ...more }) => [id, more]),
  )
  for (const { id, type } of kinds) {
    known.set(id, { type, jobType: null, projectId: null, inventoryId: null, ...details.get(id) })
  }
  return known
}

/** Those that this request has read already. */
export function templatesKnown(context: RequestContext): Map<number, ScheduledTemplate> {
  const known = (context.cache.get(cacheKey) as Map<number, ScheduledTemplate> | undefined) ?? new Map()
  context.cache.set(cacheKey, known)
  return known
}

/** `summary_fields` of schedules: the template with its kind of work, and the inventory that a run is going to use. */
export async function scheduleSummaries(
  rows: readonly ScheduleRow[],
  context: RequestContext,
): Promise<Record<string, unknown>[]> {
  const ids = rows.map((schedule) => schedule.unifiedJobTemplateId)
  const templates = await scheduledTemplates(ids, context)
  const shown = await loadSummaries(context.registry.get('unified_job_templates'), ids, context)
  const inventoryIds = rows.flatMap(({ inventoryId, unifiedJobTemplateId }) =>
    inventoryId === null ? (templates.get(unifiedJobTemplateId)?.inventoryId ?? []) : [],
  )
  const inventories = await loadSummaries(context.registry.get('inventory'), inventoryIds, context)
  return rows.map(({ unifiedJobTemplateId, inventoryId }) => {
    const template = templates.get(unifiedJobTemplateId)
    const inventory = inventoryId === null ? inventories.get(template?.inventoryId ?? 0) : undefined
    const summary = shown.get(unifiedJobTemplateId)
    return {
      ...(summary
        ? { unified_job_template: { ...summary, ...(template?.jobType ? { job_type: template.jobType } : {}) } }
        : {}),
      ...(inventory ? { inventory } : {}),
    }
  })
}
