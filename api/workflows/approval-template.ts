import { eq } from 'drizzle-orm'
import { workflowApprovalTemplates, workflowJobTemplateNodes } from '../../store/schema/workflows.ts'
import { ValidationError } from '../errors.ts'
import { type Field, nameField } from '../field.ts'
import type { Action } from '../resource.ts'
import { checkField } from '../validate-field.ts'
import { dropApproval, type TemplateNodeRow } from './node-rules.ts'

const fields = {
  timeout: { kind: 'integer', default: 0 },
  name: nameField(),
  description: { kind: 'string', default: '' },
} as const satisfies Record<string, Field>

const largest = 2147483647
const shown = {
  timeout: { type: 'integer', label: 'Timeout', filterable: true, min_value: -largest - 1, max_value: largest },
  name: { type: 'string', label: 'Name', filterable: true },
  description: { type: 'string', label: 'Description', filterable: true },
}

/** `/workflow_job_template_nodes/N/create_approval_template/`: makes the node one that waits for somebody's word. */
export const approvalTemplateAction: Action<TemplateNodeRow> = {
  async GET() {
    return { status: 200, body: {} }
  },
  async POST({ object: node, body, context, render }) {
    const { name, description, timeout } = read(body)
    const [template] = await context.db
      .insert(workflowApprovalTemplates)
      .values({ name, description, timeout, createdById: context.actor.id, modifiedById: context.actor.id })
      .returning()
    if (!template) throw new Error('the approval template was not inserted')
    await context.db
      .update(workflowJobTemplateNodes)
      .set({ unifiedJobTemplateId: template.id, templateType: 'workflow_approval_template', extraData: {} })
      .where(eq(workflowJobTemplateNodes.id, node.id))
    await dropApproval(node, context)
    const wire = await render('workflow_approval_templates', template.id)
    return { status: 201, body: wire, headers: { Location: String(wire.url) } }
  },
  permission: { POST: 'edit' },
  fields: {
    GET: shown,
    POST: {
      timeout: { ...shown.timeout, default: 0 },
      name: { ...shown.name, required: true, max_length: 512 },
      description: { ...shown.description, default: '' },
    },
  },
  title: 'Workflow Job Template Node Create Approval',
}

function read(body: Record<string, unknown>): { name: string; description: string; timeout: number } {
  const errors: Record<string, string[]> = {}
  const values: Record<string, unknown> = { description: '', timeout: 0 }
  for (const [field, rule] of Object.entries(fields)) {
    if (!(field in body)) {
      if (field === 'name') errors.name = ['This field is required.']
      continue
    }
    const checked = checkField(rule, body[field])
    if (checked.ok) values[field] = checked.value
    else errors[field] = [checked.message]
  }
  if (Object.keys(errors).length > 0) throw new ValidationError(errors)
  return values as { name: string; description: string; timeout: number }
}
