import { systemJobTemplates } from '../../store/schema/updates.ts'
import { globalEnvironment, resolvedEnvironment } from '../environments.ts'
import { templateStatusChoices } from '../jobs/fields.ts'
import { parentLinks, parentSummaries } from '../jobs/job-summaries.ts'
import { notificationTemplateLists } from '../notifications/attachments.ts'
import { defineResource } from '../resource.ts'
import { nextJobRun, scheduleSubList } from '../schedules/below.ts'
import { systemJobTypeChoices } from '../system-jobs/fields.ts'
import { launchSystemJobAction } from '../system-jobs/launch.ts'
import { superusersOnly, systemPermissions } from '../system-jobs/permissions.ts'

const notificationLists = notificationTemplateLists('systemJobTemplateId', 'System Job Template')

/** `/api/v2/system_job_templates/`: what cleans the house; comes with the release. */
export const systemJobTemplatesResource = defineResource({
  name: 'system_job_templates',
  type: 'system_job_template',
  model: 'SystemJobTemplate',
  table: systemJobTemplates,
  methods: { list: ['GET'], detail: ['GET'] },
  fields: {
    name: { kind: 'string' },
    description: { kind: 'string' },
    last_job_run: { kind: 'datetime' },
    last_job_failed: { kind: 'boolean' },
    next_job_run: nextJobRun,
    status: { kind: 'choice', choices: templateStatusChoices },
    execution_environment: { kind: 'id', to: 'execution_environments' },
    job_type: { kind: 'choice', choices: systemJobTypeChoices },
  },
  relations: {
    jobs: { kind: 'many', to: 'system_jobs', column: 'systemJobTemplateId' },
    ...notificationLists.relations,
  },
  order: ['name'],
  searchFields: ['description', 'name'],
  filter: (_query, context) => superusersOnly(context),
  summary: { fields: ['name', 'description'] },
  subLists: {
    schedules: scheduleSubList('System Job Template Schedules'),
    jobs: { relation: 'jobs', title: 'System Job Template Jobs List' },
    ...notificationLists.subLists,
  },
  actions: { launch: launchSystemJobAction },
  permissions: systemPermissions,
  related: (template) => parentLinks(template, 'system_jobs'),
  async summaries(templates, context) {
    const environment = await globalEnvironment(context)
    const jobs = await parentSummaries(templates, context)
    return jobs.map((summary) => ({ ...summary, ...resolvedEnvironment(environment) }))
  },
})
