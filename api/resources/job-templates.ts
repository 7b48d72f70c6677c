import { eq } from 'drizzle-orm'
import { promptFlags } from '../../model/prompts.ts'
import { forgetTemplate } from '../../store/forget-template.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { jobTemplateLabels } from '../../store/schema/labels.ts'
import { jobTemplateCredentials, jobTemplateInstanceGroups, jobTemplates } from '../../store/schema/templates.ts'
import { derived, descriptionField, type Field, nameField } from '../field.ts'
import { refuseWhileUsed } from '../jobs/active-jobs.ts'
import {
  jobTypeChoices,
  priorityField,
  statusChoices,
  verbosityChoices,
  webhookServiceChoices,
} from '../jobs/fields.ts'
import { parentLinks } from '../jobs/job-summaries.ts'
import { labelSubList } from '../labels/attach.ts'
import { launchAction } from '../launch/launch.ts'
import { notificationTemplateLists } from '../notifications/attachments.ts'
import { defineResource } from '../resource.ts'
import { nextJobRun, scheduleSubList } from '../schedules/below.ts'
import { containerField, withoutNoContainer } from '../templates/container.ts'
import { copyTemplateParts } from '../templates/copy.ts'
import { checkTemplateCredential } from '../templates/credentials.ts'
import { holdField, retryPolicyField } from '../templates/failure.ts'
import { checkTemplate, withOrganization } from '../templates/rules.ts'
import { templateSummaries } from '../templates/summaries.ts'
import { surveyAction } from '../templates/survey.ts'
import { callbackAction } from '../webhooks/callback.ts'
import { checkWebhookCredential, keepWebhookKey, receiverLink, webhookKeyAction } from '../webhooks/key.ts'
import { jobTemplateReceivers } from '../webhooks/receiver.ts'

const largest = 2147483647
const flag: Field = { kind: 'boolean', default: false }
const text = (maxLength?: number): Field => ({ kind: 'string', default: '', ...(maxLength ? { maxLength } : {}) })

const told = notificationTemplateLists('jobTemplateId', 'Job Template')

/** `/api/v2/job_templates/`: what is launched again and again. */
export const jobTemplatesResource = defineResource({
  name: 'job_templates',
  type: 'job_template',
  model: 'JobTemplate',
  table: jobTemplates,
  fields: {
    name: nameField(),
    description: descriptionField(),
    job_type: { kind: 'choice', choices: jobTypeChoices, default: 'run' },
    inventory: { kind: 'id', to: 'inventory' },
    project: { kind: 'id', to: 'projects' },
    playbook: text(1024),
    scm_branch: text(1024),
    forks: { kind: 'integer', min: 0, max: largest, default: 0 },
    limit: text(),
    verbosity: { kind: 'choice', choices: verbosityChoices, default: 0 },
    extra_vars: { kind: 'json', holds: 'variables', default: '', unsearchable: true },
    job_tags: text(),
    force_handlers: flag,
    skip_tags: text(1024),
    start_at_task: text(1024),
    timeout: { kind: 'integer', min: -largest - 1, max: largest, default: 0 },
    use_fact_cache: flag,
    organization: { kind: 'id', to: 'organizations', readOnly: true },
    last_job_run: { kind: 'datetime', readOnly: true },
    last_job_failed: { kind: 'boolean', readOnly: true },
    next_job_run: nextJobRun,
    status: { kind: 'choice', choices: [...statusChoices, ['never updated', 'Never Updated']], readOnly: true },
    execution_environment: { kind: 'id', to: 'execution_environments' },
    host_config_key: { kind: 'string', maxLength: 1024, default: '', unsearchable: true },
    ...Object.fromEntries(Object.values(promptFlags).map((name) => [name, flag])),
    survey_enabled: flag,
    become_enabled: flag,
    diff_mode: flag,
    allow_simultaneous: flag,
    custom_virtualenv: derived('string', () => null, { filterable: true }),
    job_slice_count: { kind: 'integer', min: 0, max: largest, default: 1 },
    webhook_service: {
      kind: 'choice',
      choices: webhookServiceChoices,
      blank: true,
    },
    webhook_credential: { kind: 'id', to: 'credentials' },
    prevent_instance_group_fallback: flag,
    container: containerField,
    priority: priorityField,
    retry_policy: retryPolicyField,
    hold_on_failure_seconds: holdField,
  },
  unsearchable: ['survey_spec', 'webhook_key'],
  relations: {
    ...told.relations,
    jobs: { kind: 'many', to: 'jobs', column: 'jobTemplateId' },
    credentials: {
      kind: 'through',
      to: 'credentials',
      table: jobTemplateCredentials,
      parent: 'jobTemplateId',
      child: 'credentialId',
    },
    labels: {
      kind: 'through',
      to: 'labels',
      table: jobTemplateLabels,
      parent: 'jobTemplateId',
      child: 'labelId',
    },
    slice_workflow_jobs: { kind: 'many', to: 'workflow_jobs', column: 'jobTemplateId' },
    instance_groups: {
      kind: 'through',
      to: 'instance_groups',
      table: jobTemplateInstanceGroups,
      parent: 'jobTemplateId',
      child: 'instanceGroupId',
      position: 'position',
    },
  },
  order: ['name'],
  searchFields: ['description', 'name'],
  namedUrl: [['name'], ['organization__name']],
  summary: { fields: ['name', 'description'] },
  capabilities: ['edit', 'delete', 'start', 'schedule', 'copy'],
  objectRoles: ['admin_role', 'execute_role', 'read_role'],
  unique: [{ fields: ['name', 'organization'], soft: true }],
  subLists: {
    schedules: scheduleSubList('Job Template Schedules'),
    ...told.subLists,
    jobs: { relation: 'jobs', title: 'Job Template Jobs List' },
    credentials: {
      relation: 'credentials',
      attach: true,
      create: true,
      check: checkTemplateCredential,
      order: ['name'],
      title: 'Job Template Credentials List',
    },
    labels: labelSubList(jobTemplateLabels.jobTemplateId, 'job template', 'Job Template Label List'),
    slice_workflow_jobs: { relation: 'slice_workflow_jobs', title: 'Job Template Slice Workflow Jobs List' },
    instance_groups: { relation: 'instance_groups', attach: true, title: 'Job Template Instance Groups List' },
  },
  actions: {
    launch: launchAction,
    survey_spec: surveyAction(jobTemplates, 'Job Template Survey Spec'),
    webhook_key: webhookKeyAction(jobTemplates),
    callback: callbackAction,
    ...jobTemplateReceivers,
  },
  copy: { after: copyTemplateParts },
  hooks: {
    async validate(check) {
      await checkTemplate(check)
      await checkWebhookCredential(check)
    },
    prepare: withOrganization,
    afterWrite: (template, before, context) => keepWebhookKey(jobTemplates, template, before, context),
    async beforeDelete(template, context) {
      await refuseWhileUsed(context, eq(unifiedJobs.jobTemplateId, template.id))
      await forgetTemplate(context.db, template.id)
    },
  },
  related: (template) => ({
    ...parentLinks(template, 'jobs'),
    webhook_receiver: receiverLink('job_templates', template),
  }),
  summaries: templateSummaries,
  present: withoutNoContainer,
})
