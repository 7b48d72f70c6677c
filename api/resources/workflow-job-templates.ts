import { eq, inArray } from 'drizzle-orm'
import { forgetTemplate } from '../../store/forget-template.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { workflowJobTemplateLabels } from '../../store/schema/labels.ts'
import {
  workflowApprovalTemplates,
  workflowJobTemplateNodes,
  workflowJobTemplates,
} from '../../store/schema/workflows.ts'
import { descriptionField, type Field, nameField } from '../field.ts'
import { refuseWhileUsed } from '../jobs/active-jobs.ts'
import { priorityField, templateStatusChoices, webhookServiceChoices } from '../jobs/fields.ts'
import { parentLinks } from '../jobs/job-summaries.ts'
import { labelSubList } from '../labels/attach.ts'
import { notificationTemplateLists } from '../notifications/attachments.ts'
import { defineResource } from '../resource.ts'
import { nextJobRun, scheduleSubList } from '../schedules/below.ts'
import { surveyAction } from '../templates/survey.ts'
import { checkWebhookCredential, keepWebhookKey, receiverLink, webhookKeyAction } from '../webhooks/key.ts'
import { workflowReceivers } from '../webhooks/receiver.ts'
import { copyWorkflowParts, describeWorkflowCopy } from '../workflows/copy.ts'
import { dryRunAction } from '../workflows/dry-run.ts'
import { workflowLaunchAction } from '../workflows/launch.ts'
import { workflowTemplateSummaries } from '../workflows/summaries.ts'

const flag: Field = { kind: 'boolean', default: false }
/** Null: the workflow says nothing of it. */
const prompt: Field = { kind: 'string', nullable: true, default: null, filterable: false }

const told = notificationTemplateLists('workflowJobTemplateId', 'Workflow Job Template', { approvals: true })

/** `/api/v2/workflow_job_templates/`: graphs of templates that are launched as a whole. */
export const workflowJobTemplatesResource = defineResource({
  name: 'workflow_job_templates',
  type: 'workflow_job_template',
  model: 'WorkflowJobTemplate',
  label: 'workflow template',
  titles: { list: 'Workflow Job Template List', detail: 'Workflow Job Template Detail' },
  table: workflowJobTemplates,
  fields: {
    name: nameField(),
    description: descriptionField(),
    last_job_run: { kind: 'datetime', readOnly: true },
    last_job_failed: { kind: 'boolean', readOnly: true },
    next_job_run: nextJobRun,
    status: { kind: 'choice', choices: templateStatusChoices, readOnly: true },
    extra_vars: { kind: 'json', holds: 'variables', default: '', unsearchable: true },
    organization: { kind: 'id', to: 'organizations' },
    survey_enabled: flag,
    allow_simultaneous: flag,
    ask_variables_on_launch: flag,
    inventory: { kind: 'id', to: 'inventory' },
    limit: prompt,
    scm_branch: prompt,
    ask_inventory_on_launch: flag,
    ask_scm_branch_on_launch: flag,
    ask_limit_on_launch: flag,
    webhook_service: { kind: 'choice', choices: webhookServiceChoices, blank: true },
    webhook_credential: { kind: 'id', to: 'credentials' },
    ask_labels_on_launch: flag,
    ask_skip_tags_on_launch: flag,
    ask_tags_on_launch: flag,
    skip_tags: prompt,
    job_tags: prompt,
    priority: {
      ...priorityField,
      nullable: true,
      default: null,
      help: 'Priority of all jobs of the workflow: 1 goes first, 5 last. Null: each has that of its own template.',
    },
    ask_priority_on_launch: flag,
  },
  unsearchable: ['survey_spec', 'webhook_key'],
  relations: {
    ...told.relations,
    workflow_jobs: { kind: 'many', to: 'workflow_jobs', column: 'workflowJobTemplateId' },
    workflow_job_template_nodes: {
      kind: 'many',
      to: 'workflow_job_template_nodes',
      column: 'workflowJobTemplateId',
    },
    labels: {
      kind: 'through',
      to: 'labels',
      table: workflowJobTemplateLabels,
      parent: 'workflowJobTemplateId',
      child: 'labelId',
    },
  },
  order: ['name'],
  searchFields: ['description', 'name'],
  namedUrl: [['name'], ['organization__name']],
  capabilities: ['edit', 'delete', 'start', 'schedule', 'copy'],
  objectRoles: ['admin_role', 'execute_role', 'read_role', 'approval_role'],
  unique: [{ fields: ['name', 'organization'], soft: true }],
  subLists: {
    schedules: scheduleSubList('Workflow Job Template Schedules'),
    ...told.subLists,
    workflow_jobs: { relation: 'workflow_jobs', title: 'Workflow Job Template Jobs List' },
    workflow_nodes: {
      relation: 'workflow_job_template_nodes',
      create: true,
      title: 'Workflow Job Template Workflow Nodes List',
    },
    labels: labelSubList(
      workflowJobTemplateLabels.workflowJobTemplateId,
      'workflow job template',
      'Workflow Job Template Label List',
    ),
  },
  actions: {
    launch: workflowLaunchAction,
    dry_run: dryRunAction,
    survey_spec: surveyAction(workflowJobTemplates, 'Workflow Job Template Survey Spec'),
    webhook_key: webhookKeyAction(workflowJobTemplates),
    ...workflowReceivers,
  },
  copy: { after: copyWorkflowParts, describe: describeWorkflowCopy, title: 'Workflow Job Template Copy' },
  hooks: {
    validate: checkWebhookCredential,
    afterWrite: (template, before, context) => keepWebhookKey(workflowJobTemplates, template, before, context),
    async beforeDelete(template, context) {
      await refuseWhileUsed(context, eq(unifiedJobs.workflowJobTemplateId, template.id))
      const approvals = context.db
        .select({ id: workflowJobTemplateNodes.unifiedJobTemplateId })
        .from(workflowJobTemplateNodes)
        .where(eq(workflowJobTemplateNodes.workflowJobTemplateId, template.id))
      await context.db.delete(workflowApprovalTemplates).where(inArray(workflowApprovalTemplates.id, approvals))
      await forgetTemplate(context.db, template.id)
    },
  },
  related: (template) => ({
    ...parentLinks(template, 'workflow_jobs'),
    webhook_receiver: receiverLink('workflow_job_templates', template),
  }),
  summaries: workflowTemplateSummaries,
})
