import { unifiedJobs } from '../../store/schema/jobs.ts'
import { cancelAction } from '../jobs/cancel.ts'
import { eventStreamAction } from '../jobs/event-stream.ts'
import { elapsedSeconds, unifiedJobFields } from '../jobs/fields.ts'
import { refuseDelete } from '../jobs/removal.ts'
import { stdoutAction } from '../jobs/stdout.ts'
import { waitingAction } from '../jobs/waiting-action.ts'
import { notificationsOfJob } from '../notifications/attachments.ts'
import { defineResource } from '../resource.ts'
import { summariesOf } from '../summary.ts'
import { systemJobTypeChoices } from '../system-jobs/fields.ts'
import { superusersOnly, systemPermissions } from '../system-jobs/permissions.ts'

/** `/api/v2/system_jobs/`: one cleaning of the house. Made by launching a system job template. */
export const systemJobsResource = defineResource({
  name: 'system_jobs',
  type: 'system_job',
  model: 'SystemJob',
  label: 'management job',
  titles: { list: 'System Job List', detail: 'System Job Detail' },
  table: unifiedJobs,
  scope: { type: 'system_job' },
  methods: { list: ['GET'], detail: ['GET', 'DELETE'] },
  fields: {
    ...unifiedJobFields('system_job_templates'),
    system_job_template: { kind: 'id', to: 'system_job_templates' },
    job_type: { kind: 'choice', choices: systemJobTypeChoices },
    extra_vars: { kind: 'json', holds: 'variables', options: { type: 'string' } },
    result_stdout: { kind: 'string', filterable: false, options: { type: 'field' } },
  },
  relations: {
    system_job_events: { kind: 'many', to: 'system_job_events', column: 'jobId' },
    instance_group: { kind: 'one', to: 'instance_groups', column: 'instanceGroupId' },
  },
  searchFields: ['description', 'name'],
  filter: (_query, context) => superusersOnly(context),
  summary: { fields: ['name', 'description', 'status', 'failed'] },
  capabilities: ['delete', 'start'],
  subLists: {
    events: { relation: 'system_job_events', order: ['start_line', 'counter'], title: 'System Job Events List' },
    notifications: notificationsOfJob('System Job'),
  },
  actions: {
    cancel: cancelAction(),
    waiting: waitingAction,
    // Beyond AWX, which shows the output as `result_stdout` only.
    stdout: { ...stdoutAction('system_job'), link: false },
    'events/stream': eventStreamAction,
  },
  permissions: {
    ...systemPermissions,
    // It is launched anew from its template.
    refuse: (action) => (action === 'start' ? 'You do not have permission to perform this action.' : undefined),
  },
  hooks: { beforeDelete: refuseDelete },
  async summaries(jobs, context) {
    const templates = await summariesOf(
      'system_job_templates',
      jobs.map((job) => job.systemJobTemplateId),
      context,
    )
    const groups = await summariesOf(
      'instance_groups',
      jobs.map((job) => job.instanceGroupId),
      context,
    )
    return jobs.map((job): Record<string, unknown> => {
      const template = templates.get(job.systemJobTemplateId ?? 0)
      const group = groups.get(job.instanceGroupId ?? 0)
      return {
        ...(template ? { unified_job_template: { ...template, unified_job_type: 'system_job' } } : {}),
        ...(group ? { instance_group: group } : {}),
      }
    })
  },
  present(wire, job, context) {
    const { system_job_template: _template, ...summary } = wire.summary_fields as Record<string, unknown>
    return { ...wire, summary_fields: summary, elapsed: elapsedSeconds(job, new Date(context.now).getTime()) }
  },
})
