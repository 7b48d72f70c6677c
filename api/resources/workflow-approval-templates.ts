import { eq, sql } from 'drizzle-orm'
import { forgetTemplate } from '../../store/forget-template.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import {
  workflowApprovalTemplates,
  workflowJobTemplateNodes,
  workflowJobTemplates,
} from '../../store/schema/workflows.ts'
import { globalEnvironment } from '../environments.ts'
import { derived, descriptionField, nameField } from '../field.ts'
import { refuseWhileUsed } from '../jobs/active-jobs.ts'
import { templateStatusChoices } from '../jobs/fields.ts'
import { parentLinks, parentSummaries } from '../jobs/job-summaries.ts'
import { defineResource } from '../resource.ts'
import { loadSummaries } from '../summary.ts'

/** `/api/v2/workflow_approval_templates/N/`: what a node of a workflow waits for. Made by the node. */
export const workflowApprovalTemplatesResource = defineResource({
  name: 'workflow_approval_templates',
  type: 'workflow_approval_template',
  model: 'WorkflowApprovalTemplate',
  detailsOnly: true,
  table: workflowApprovalTemplates,
  methods: { list: [] },
  fields: {
    name: nameField(),
    description: descriptionField(),
    last_job_run: { kind: 'datetime', readOnly: true },
    last_job_failed: { kind: 'boolean', readOnly: true },
    next_job_run: derived('datetime', () => null),
    status: { kind: 'choice', choices: templateStatusChoices, readOnly: true },
    execution_environment: derived('id', () => null),
    timeout: { kind: 'integer', default: 0 },
  },
  order: ['name'],
  subLists: {
    approvals: {
      resource: 'workflow_approvals',
      where: ({ id }) => eq(unifiedJobs.workflowApprovalTemplateId, id),
      link: 'jobs',
    },
  },
  summary: {
    fields: ['name', 'description', 'timeout'],
  },
  hooks: {
    async beforeDelete(template, context) {
      await refuseWhileUsed(context, eq(unifiedJobs.workflowApprovalTemplateId, template.id))
      await forgetTemplate(context.db, template.id)
    },
  },
  related: (template) => parentLinks(template, 'workflow_approvals'),
  async summaries(templates, context) {
    const jobs = await parentSummaries(templates, context)
    const environment = await globalEnvironment(context)
    const environments = await loadSummaries(
      context.registry.get('execution_environments'),
      environment ? [environment.id] : [],
      context,
    )
    const rows = await context.db
      .select({
        templateId: workflowJobTemplateNodes.unifiedJobTemplateId,
        id: workflowJobTemplates.id,
        name: workflowJobTemplates.name,
        description: workflowJobTemplates.description,
      })
      .from(workflowJobTemplateNodes)
      .innerJoin(workflowJobTemplates, eq(workflowJobTemplates.id, workflowJobTemplateNodes.workflowJobTemplateId))
      .where(sql`${workflowJobTemplateNodes.unifiedJobTemplateId} IN ${templates.map(({ id }) => id)}`)
    const workflows = new Map(rows.map(({ templateId, ...workflow }) => [templateId, workflow]))
    return templates.map(({ id }, index) => {
      const workflow = workflows.get(id)
      const resolved = environments.get(environment?.id ?? 0)
      return {
        ...(workflow ? { workflow_job_template: workflow } : {}),
        ...jobs[index],
        ...(resolved ? { resolved_environment: resolved } : {}),
      }
    })
  },
})
