import { unifiedJobs } from '../../store/schema/jobs.ts'
import { unifiedJobLabels } from '../../store/schema/labels.ts'
import { cancelAction } from '../jobs/cancel.ts'
import { elapsedSeconds, webhookServiceChoices } from '../jobs/fields.ts'
import { refuseDelete } from '../jobs/removal.ts'
import { waitingAction } from '../jobs/waiting-action.ts'
import { labelSummaries } from '../labels/summaries.ts'
import { notificationsOfJob } from '../notifications/attachments.ts'
import { defineResource } from '../resource.ts'
import { loadSummaries } from '../summary.ts'
import { fieldsWithout } from '../workflows/job-fields.ts'
import { sourceWorkflowLink, workflowOriginSummaries } from '../workflows/job-summaries.ts'
import { workflowRelaunchAction } from '../workflows/relaunch.ts'
import { continueAction, pauseAction, resumeAction } from '../workflows/run-actions.ts'
import { templateLink } from '../workflows/template-kinds.ts'

/** Texts by which a workflow overrides its nodes; null where it says nothing. */
const prompt = { kind: 'string', filterable: false } as const
const promptNames = ['limit', 'scm_branch', 'skip_tags', 'job_tags'] as const

/** `/api/v2/workflow_jobs/`: runs of workflows, and sliced jobs. Made by launching and relaunching only. */
export const workflowJobsResource = defineResource({
  name: 'workflow_jobs',
  type: 'workflow_job',
  model: 'WorkflowJob',
  table: unifiedJobs,
  scope: { type: 'workflow_job' },
  methods: { list: ['GET'], detail: ['GET', 'DELETE'] },
  fields: {
    ...fieldsWithout('unified_job_templates', 'execution_environment', 'execution_node', 'event_processing_finished'),
    workflow_job_template: { kind: 'id', to: 'workflow_job_templates' },
    extra_vars: { kind: 'json', holds: 'variables', unsearchable: true },
    allow_simultaneous: { kind: 'boolean' },
    job_template: { kind: 'id', to: 'job_templates' },
    is_sliced_job: { kind: 'boolean' },
    inventory: { kind: 'id', to: 'inventory' },
    limit: prompt,
    scm_branch: prompt,
    webhook_service: { kind: 'choice', choices: webhookServiceChoices },
    webhook_credential: { kind: 'id', to: 'credentials' },
    webhook_guid: { kind: 'string' },
    skip_tags: prompt,
    job_tags: prompt,
  },
  relations: {
    organization: { kind: 'one', to: 'organizations', column: 'organizationId' },
    workflow_job_nodes: { kind: 'many', to: 'workflow_job_nodes', column: 'workflowJobId' },
    unified_job_node: { kind: 'many', to: 'workflow_job_nodes', column: 'jobId' },
    labels: { kind: 'through', to: 'labels', table: unifiedJobLabels, parent: 'jobId', child: 'labelId' },
  },
  searchFields: ['description', 'name'],
  summary: { fields: ['name', 'description'] },
  capabilities: ['delete', 'start'],
  subLists: {
    notifications: notificationsOfJob('Workflow Job'),
    workflow_nodes: { relation: 'workflow_job_nodes', title: 'Workflow Job Workflow Nodes List' },
    labels: { relation: 'labels', order: ['name'], title: 'Workflow Job Label List' },
  },
  actions: {
    cancel: cancelAction({ explains: true }),
    waiting: waitingAction,
    relaunch: workflowRelaunchAction,
    continue: continueAction,
    pause: pauseAction,
    resume: resumeAction,
  },
  hooks: { beforeDelete: refuseDelete },
  related: (job) => ({
    // Its summary is enough for AWX's clients.
    inventory: null,
    unified_job_template: templateLink(
      job.isSlicedJob ? 'job_template' : 'workflow_job_template',
      job.unifiedJobTemplateId,
    ),
    source_workflow_job: sourceWorkflowLink(job),
  }),
  async summaries(jobs, context) {
    const ids = jobs.map(({ id }) => id)
    const labels = await labelSummaries(unifiedJobLabels, unifiedJobLabels.jobId, ids, context)
    const origins = await workflowOriginSummaries(jobs, context)
    const organizations = await loadSummaries(
      context.registry.get('organizations'),
      jobs.flatMap(({ organizationId }) => organizationId ?? []),
      context,
    )
    return jobs.map(({ id, organizationId }, index) => {
      const organization = organizations.get(organizationId ?? 0)
      return { ...(organization ? { organization } : {}), ...origins[index], labels: labels.get(id) }
    })
  },
  present(wire, job, context) {
    const said = promptNames.map((name) => [name, job.isSlicedJob ? wire[name] : wire[name] || null])
    return { ...wire, ...Object.fromEntries(said), elapsed: elapsedSeconds(job, new Date(context.now).getTime()) }
  },
})
