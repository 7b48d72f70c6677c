import { unifiedJobCredentials, unifiedJobs } from '../../store/schema/jobs.ts'
import { unifiedJobLabels } from '../../store/schema/labels.ts'
import { derived } from '../field.ts'
import { artifactsAction } from '../jobs/artifacts.ts'
import { cancelAction } from '../jobs/cancel.ts'
import { childrenSummaryAction } from '../jobs/children-summary.ts'
import { jobCredentials } from '../jobs/credentials.ts'
import { eventStreamAction } from '../jobs/event-stream.ts'
import {
  countFields,
  elapsedSeconds,
  type JobRow,
  jobTypeChoices,
  jobTypeLabels,
  unifiedJobFields,
  verbosityChoices,
  webhookServiceChoices,
} from '../jobs/fields.ts'
import { heldUntilField, holdAction, releaseHoldAction } from '../jobs/hold.ts'
import { passedOverField } from '../jobs/passed-over.ts'
import { postMortemAction } from '../jobs/post-mortem.ts'
import { relaunchAction } from '../jobs/relaunch.ts'
import { refuseDelete } from '../jobs/removal.ts'
import { stdoutAction } from '../jobs/stdout.ts'
import { waitingAction } from '../jobs/waiting-action.ts'
import { labelSummaries } from '../labels/summaries.ts'
import { notificationsOfJob } from '../notifications/attachments.ts'
import { defineResource } from '../resource.ts'
import { createScheduleAction } from '../schedules/from-job.ts'
import { shellAction } from '../shell/action.ts'
import { loadSummaries } from '../summary.ts'
import { containerField, withoutNoContainer } from '../templates/container.ts'
import { holdField, retryPolicyField } from '../templates/failure.ts'
import { sourceWorkflowLink, workflowOriginSummaries } from '../workflows/job-summaries.ts'

/** `/api/v2/jobs/`: playbook runs. Made by launching and relaunching only. */
export const jobsResource = defineResource({
  name: 'jobs',
  type: 'job',
  model: 'Job',
  label: jobTypeLabels.job,
  titles: { list: 'Job List', detail: 'Job Detail' },
  table: unifiedJobs,
  scope: { type: 'job' },
  methods: { list: ['GET'], detail: ['GET', 'DELETE'] },
  fields: {
    ...unifiedJobFields('job_templates'),
    controller_node: { kind: 'string' },
    job_type: { kind: 'choice', choices: [...jobTypeChoices, ['scan', 'Scan']] },
    inventory: { kind: 'id', to: 'inventory' },
    project: { kind: 'id', to: 'projects' },
    playbook: { kind: 'string' },
    scm_branch: { kind: 'string' },
    forks: { kind: 'integer', min: 0, max: 2147483647 },
    limit: { kind: 'string' },
    verbosity: { kind: 'choice', choices: verbosityChoices },
    extra_vars: { kind: 'json', holds: 'variables', unsearchable: true },
    job_tags: { kind: 'string' },
    force_handlers: { kind: 'boolean' },
    skip_tags: { kind: 'string' },
    start_at_task: { kind: 'string' },
    timeout: { kind: 'integer', min: -2147483648, max: 2147483647 },
    use_fact_cache: { kind: 'boolean' },
    organization: { kind: 'id', to: 'organizations' },
    job_template: { kind: 'id', to: 'job_templates' },
    passwords_needed_to_start: {
      kind: 'computed',
      type: 'field',
      filterable: false,
      async values(rows, context) {
        const credentials = await jobCredentials(
          rows.map((row) => row.id),
          context,
        )
        return rows.map((row) => (credentials.get(row.id) ?? []).flatMap((credential) => credential.passwords))
      },
    },
    allow_simultaneous: { kind: 'boolean' },
    artifacts: { kind: 'json', unsearchable: true },
    scm_revision: { kind: 'string', label: 'SCM Revision' },
    instance_group: { kind: 'id', to: 'instance_groups' },
    passed_over: passedOverField,
    diff_mode: { kind: 'boolean' },
    job_slice_number: { kind: 'integer', min: 0, max: 2147483647 },
    job_slice_count: { kind: 'integer', min: 0, max: 2147483647 },
    container: containerField,
    retry_policy: { ...retryPolicyField, readOnly: true },
    hold_on_failure_seconds: { ...holdField, readOnly: true },
    held_until: heldUntilField,
    webhook_service: { kind: 'choice', choices: webhookServiceChoices },
    webhook_credential: { kind: 'id', to: 'credentials' },
    webhook_guid: { kind: 'string' },
    ...countFields,
    custom_virtualenv: derived('string', () => null, { detailOnly: true, filterable: true }),
  },
  relations: {
    credentials: {
      kind: 'through',
      to: 'credentials',
      table: unifiedJobCredentials,
      parent: 'jobId',
      child: 'credentialId',
    },
    labels: { kind: 'through', to: 'labels', table: unifiedJobLabels, parent: 'jobId', child: 'labelId' },
    unified_job_node: { kind: 'many', to: 'workflow_job_nodes', column: 'jobId' },
    attempts: { kind: 'many', to: 'job_attempts', column: 'jobId' },
    job_events: { kind: 'many', to: 'job_events', column: 'jobId' },
    job_host_summaries: { kind: 'many', to: 'job_host_summaries', column: 'jobId' },
  },
  searchFields: ['description', 'name'],
  summary: {
    fields: ['name', 'description', 'status', 'failed', 'elapsed'],
    async extra(rows, context) {
      const ids = rows.flatMap((job) => job.jobTemplateId ?? [])
      const templates = await loadSummaries(context.registry.get('job_templates'), ids, context)
      return rows.map((job) => ({ type: 'job', ...templateNames(job, templates) }))
    },
  },
  capabilities: ['delete', 'start'],
  subLists: {
    notifications: notificationsOfJob('Job'),
    credentials: { relation: 'credentials', title: 'Job Credentials List' },
    labels: { relation: 'labels', order: ['name'], title: 'Job Label List' },
    attempts: { relation: 'attempts', order: ['number'], title: 'Job Attempts List' },
    job_events: { relation: 'job_events', order: ['start_line', 'counter'], title: 'Job Events List' },
    job_host_summaries: { relation: 'job_host_summaries', order: ['host_name'], title: 'Job Host Summaries List' },
  },
  actions: {
    cancel: cancelAction(),
    waiting: waitingAction,
    relaunch: relaunchAction,
    create_schedule: createScheduleAction,
    stdout: stdoutAction('job'),
    'job_events/children_summary': childrenSummaryAction,
    'events/stream': eventStreamAction,
    hold: holdAction,
    release_hold: releaseHoldAction,
    post_mortem: postMortemAction,
    shell: shellAction,
    'artifacts.zip': artifactsAction,
  },
  hooks: { beforeDelete: refuseDelete },
  async summaries(rows, context) {
    const credentials = await jobCredentials(
      rows.map((row) => row.id),
      context,
    )
    const ids = rows.flatMap((job) => job.jobTemplateId ?? [])
    const templates = await loadSummaries(context.registry.get('job_templates'), ids, context)
    const labels = await labelSummaries(
      unifiedJobLabels,
      unifiedJobLabels.jobId,
      rows.map((row) => row.id),
      context,
    )
    const origins = await workflowOriginSummaries(rows, context)
    return rows.map((job, index) => {
      const template = job.jobTemplateId === null ? undefined : templates.get(job.jobTemplateId)
      return {
        ...(template ? { unified_job_template: { ...template, unified_job_type: 'job' } } : {}),
        ...origins[index],
        labels: labels.get(job.id),
        credentials: (credentials.get(job.id) ?? []).map((credential) => credential.summary),
      }
    })
  },
  related: (job) => ({
    // Its summary is enough for AWX's clients.
    instance_group: null,
    source_workflow_job: sourceWorkflowLink(job),
    project_update: job.projectUpdateId ? `/api/v2/project_updates/${job.projectUpdateId}/` : null,
  }),
  present(wire, job, context) {
    return { ...withoutNoContainer(wire), elapsed: elapsedSeconds(job, new Date(context.now).getTime()) }
  },
})

function templateNames(job: JobRow, templates: Map<number, Record<string, unknown>>): Record<string, unknown> {
  const template = job.jobTemplateId === null ? undefined : templates.get(job.jobTemplateId)
  return template ? { job_template_id: template.id, job_template_name: template.name } : {}
}
