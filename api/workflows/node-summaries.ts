import { inArray } from 'drizzle-orm'
import { workflowApprovalTemplates } from '../../store/schema/workflows.ts'
import type { RequestContext } from '../context.ts'

/** Seconds that approvals wait, by id of their template: nodes show them. */
export async function approvalTimeouts(
  nodes: readonly { templateType: string | null; unifiedJobTemplateId: number | null }[],
  { db }: RequestContext,
): Promise<Map<number, number>> {
  const ids = nodes.flatMap(({ templateType, unifiedJobTemplateId: id }) =>
    templateType === 'workflow_approval_template' && id !== null ? [id] : [],
  )
  if (ids.length === 0) return new Map()
  const rows = await db
    .select({ id: workflowApprovalTemplates.id, timeout: workflowApprovalTemplates.timeout })
    .from(workflowApprovalTemplates)
    .where(inArray(workflowApprovalTemplates.id, ids))
  return new Map(rows.map(({ id, timeout }) => [id, timeout]))
}

interface ShownNode {
  templateType: string | null
  unifiedJobTemplateId: number | null
}

/**
 * `summary_fields.unified_job_template` of a page of nodes, with the timeout of approvals. `templates` are the summaries by id; one that is gone is left
 * out, and the node shows no template.
 */
export async function nodeTemplateSummaries(
  nodes: readonly ShownNode[],
  templates: Map<number, Record<string, unknown>>,
  context: RequestContext,
): Promise<Record<string, unknown>[]> {
  const timeouts = await approvalTimeouts(nodes, context)
  return nodes.map(({ unifiedJobTemplateId: id }) => {
    const template = id === null ? undefined : templates.get(id)
    const timeout = id === null ? undefined : timeouts.get(id)
    if (!template || timeout === undefined) return {}
    return { unified_job_template: { ...template, timeout } }
  })
}

/** A node as it is shown once its template is gone, however that went: without it, and without a link to it. */
export function withoutGoneTemplate(wire: Record<string, unknown>): Record<string, unknown> {
  const { unified_job_template: summary } = wire.summary_fields as Record<string, unknown>
  if (summary) return wire
  const { unified_job_template: _link, ...related } = wire.related as Record<string, unknown>
  return { ...wire, related, unified_job_template: null }
}
