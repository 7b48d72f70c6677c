import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { workflowApprovalTemplates, type workflowJobTemplateNodes } from '../../store/schema/workflows.ts'
import type { RequestContext } from '../context.ts'
import type { WriteCheck } from '../resource.ts'
import { checkSavedPrompts, findTarget, sealSavedPrompts } from '../templates/saved-prompts.ts'

/** A node of a workflow job template as stored. */
export type TemplateNodeRow = typeof workflowJobTemplateNodes.$inferSelect

/**
 * Rules of a node's prompts: what its template does not take is refused now, not when it runs. Required answers may be missing: they may come with the
 * launch. Leaves in `input` what is to be stored, secrets still in clear.
 */
export async function checkNode(check: WriteCheck<TemplateNodeRow>): Promise<void> {
  await checkSavedPrompts(check, false)
}

/** Columns that follow: the kind of the template, an identifier of its own, sealed answers. */
export async function prepareNode(
  values: Record<string, unknown>,
  check: WriteCheck<TemplateNodeRow>,
): Promise<Record<string, unknown>> {
  const { before, input } = check
  const target = await findTarget(check)
  const identifier =
    before === undefined || 'identifier' in input ? { identifier: String(values.identifier ?? '') || randomUUID() } : {}
  return { ...(await sealSavedPrompts(values, check)), templateType: target?.type ?? null, ...identifier }
}

/** The approval that a node asked for goes with it. */
export async function dropApproval(
  node: Pick<TemplateNodeRow, 'templateType' | 'unifiedJobTemplateId'>,
  { db }: RequestContext,
): Promise<void> {
  if (node.templateType !== 'workflow_approval_template' || node.unifiedJobTemplateId === null) return
  await db.delete(workflowApprovalTemplates).where(eq(workflowApprovalTemplates.id, node.unifiedJobTemplateId))
}
