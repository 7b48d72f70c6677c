import { eq, sql } from 'drizzle-orm'
import type { Database } from '../../store/database.ts'
import { copyNodes } from '../../store/launch/workflow-nodes.ts'
import type { WorkflowTemplateRow } from '../../store/launch/workflow-template.ts'
import { credentials } from '../../store/schema/catalog.ts'
import { inventories } from '../../store/schema/inventory.ts'
import { workflowJobTemplateLabels } from '../../store/schema/labels.ts'
import {
  workflowApprovalTemplates,
  workflowJobTemplateNodeCredentials,
  workflowJobTemplateNodes,
  workflowJobTemplates,
} from '../../store/schema/workflows.ts'
import { unifiedJobTemplates } from '../../store/unified-templates.ts'
import type { RequestContext } from '../context.ts'
import { allowed } from '../permissions.ts'
import { resealSurvey } from '../templates/survey.ts'
import { freshWebhookKey } from '../webhooks/key.ts'

/** Gives a copied workflow what is no field: survey, labels, nodes with all that they have, approvals of their own. */
export async function copyWorkflowParts(
  source: WorkflowTemplateRow,
  copy: WorkflowTemplateRow,
  context: RequestContext,
): Promise<void> {
  const { db, deps } = context
  await db
    .update(workflowJobTemplates)
    .set({
      surveySpec: resealSurvey(deps.keyring, source, copy.id),
      webhookKey: freshWebhookKey(deps.keyring, copy),
    })
    .where(eq(workflowJobTemplates.id, copy.id))
  await db.execute(sql`
    INSERT INTO ${workflowJobTemplateLabels} (workflow_job_template_id, label_id)
    SELECT ${copy.id}::integer, label_id FROM ${workflowJobTemplateLabels} WHERE workflow_job_template_id = ${source.id}`)
  await copyNodes(db, { template: source.id }, { template: copy.id })
  await copyApprovals(db, copy.id, context.actor.id)
}

/** An approval belongs to one node: those that the copied nodes share with their originals become their own. */
async function copyApprovals(db: Database, copyId: number, actorId: number): Promise<void> {
  await db.execute(sql`
    WITH asked AS (
      SELECT node.id AS node_id, nextval('unified_job_template_id_seq')::integer AS id, old.name, old.description, old.timeout
      FROM ${workflowJobTemplateNodes} AS node
      JOIN ${workflowApprovalTemplates} AS old ON old.id = node.unified_job_template_id
      WHERE node.workflow_job_template_id = ${copyId} AND node.template_type = 'workflow_approval_template'),
    made AS (
      INSERT INTO ${workflowApprovalTemplates} (id, name, description, timeout, created_by_id, modified_by_id)
      SELECT id, name, description, timeout, ${actorId}::integer, ${actorId}::integer FROM asked)
    UPDATE ${workflowJobTemplateNodes} AS node SET unified_job_template_id = asked.id FROM asked WHERE node.id = asked.node_id`)
}

/** What GET …/copy/ says beside `can_copy`: names of what the caller may not use, which the copy then lacks rights for. */
export async function describeWorkflowCopy(
  template: WorkflowTemplateRow,
  context: RequestContext,
): Promise<Record<string, unknown>> {
  const { db } = context
  const node = workflowJobTemplateNodes
  const ofTemplate = eq(node.workflowJobTemplateId, template.id)
  const templates = await db
    .selectDistinct({ id: unifiedJobTemplates.id, name: unifiedJobTemplates.name, type: unifiedJobTemplates.type })
    .from(node)
    .innerJoin(unifiedJobTemplates, eq(unifiedJobTemplates.id, node.unifiedJobTemplateId))
    .where(ofTemplate)
  const used = await db
    .selectDistinct({ id: credentials.id, name: credentials.name })
    .from(node)
    .innerJoin(workflowJobTemplateNodeCredentials, eq(workflowJobTemplateNodeCredentials.nodeId, node.id))
    .innerJoin(credentials, eq(credentials.id, workflowJobTemplateNodeCredentials.credentialId))
    .where(ofTemplate)
  const stocked = await db
    .selectDistinct({ id: inventories.id, name: inventories.name })
    .from(node)
    .innerJoin(inventories, eq(inventories.id, node.inventoryId))
    .where(ofTemplate)
  const forbidden = async (rows: { id: number; name: string; type?: string }[], action: string, resource?: string) => {
    const names: string[] = []
    for (const { id, name, type } of rows) {
      const model = resource ? context.registry.get(resource) : context.registry.byType(type ?? '')
      if (model && !(await allowed(context, action, model, { id }))) names.push(name)
    }
    return names
  }
  const lists = {
    templates_unable_to_copy: await forbidden(templates, 'start'),
    credentials_unable_to_copy: await forbidden(used, 'use', 'credentials'),
    inventories_unable_to_copy: await forbidden(stocked, 'use', 'inventory'),
  }
  return { can_copy_without_user_input: Object.values(lists).every((names) => names.length === 0), ...lists }
}
