import { unifiedJobs } from '../../store/schema/jobs.ts'
import { cancelAction } from '../jobs/cancel.ts'
import { eventStreamAction } from '../jobs/event-stream.ts'
import {
  countFields,
  elapsedSeconds,
  jobTypeChoices,
  jobTypeLabels,
  scmTypeChoices,
  unifiedJobFields,
} from '../jobs/fields.ts'
import { refuseDelete } from '../jobs/removal.ts'
import { stdoutAction } from '../jobs/stdout.ts'
import { waitingAction } from '../jobs/waiting-action.ts'
import { notificationsOfJob } from '../notifications/attachments.ts'
import { defineResource } from '../resource.ts'
import { summariesOf, summaryEntry } from '../summary.ts'

/** `/api/v2/project_updates/`: one fetch of a project's source. Made by updating the project. */
export const projectUpdatesResource = defineResource({
  name: 'project_updates',
  type: 'project_update',
  model: 'ProjectUpdate',
  label: jobTypeLabels.project_update,
  titles: { list: 'Project Update List', detail: 'Project Update Detail' },
  table: unifiedJobs,
  scope: { type: 'project_update' },
  methods: { list: ['GET'], detail: ['GET', 'DELETE'] },
  fields: {
    ...unifiedJobFields('projects'),
    local_path: { kind: 'string' },
    scm_type: { kind: 'choice', label: 'SCM Type', choices: scmTypeChoices },
    scm_url: { kind: 'string', label: 'SCM URL' },
    scm_branch: { kind: 'string', label: 'SCM Branch' },
    scm_refspec: { kind: 'string', label: 'SCM refspec' },
    scm_clean: { kind: 'boolean' },
    scm_track_submodules: { kind: 'boolean' },
    scm_delete_on_update: { kind: 'boolean' },
    credential: { kind: 'id', to: 'credentials' },
    timeout: { kind: 'integer', min: -2147483648, max: 2147483647 },
    scm_revision: { kind: 'string', label: 'SCM Revision' },
    project: { kind: 'id', to: 'projects' },
    job_type: { kind: 'choice', choices: jobTypeChoices },
    job_tags: { kind: 'string' },
    ...countFields,
  },
  relations: {
    scm_inventory_updates: { kind: 'many', to: 'inventory_updates', column: 'projectUpdateId' },
    project_update_events: { kind: 'many', to: 'project_update_events', column: 'jobId' },
    instance_group: { kind: 'one', to: 'instance_groups', column: 'instanceGroupId' },
    organization: { kind: 'one', to: 'organizations', column: 'organizationId' },
  },
  searchFields: ['description', 'name'],
  summary: { fields: ['name', 'description', 'status', 'failed'] },
  capabilities: ['delete', 'start'],
  subLists: {
    notifications: notificationsOfJob('Project Update'),
    scm_inventory_updates: { relation: 'scm_inventory_updates', title: 'Project Update SCM Inventory Updates' },
    events: {
      relation: 'project_update_events',
      order: ['start_line', 'counter'],
      title: 'Project Update Events List',
    },
  },
  actions: {
    cancel: cancelAction(),
    waiting: waitingAction,
    stdout: stdoutAction('project_update'),
    'events/stream': eventStreamAction,
  },
  hooks: { beforeDelete: refuseDelete },
  async summaries(updates, context) {
    const groups = await summariesOf(
      'instance_groups',
      updates.map((update) => update.instanceGroupId),
      context,
    )
    const organizations = await summariesOf(
      'organizations',
      updates.map((update) => update.organizationId),
      context,
    )
    const projects = await summariesOf(
      'projects',
      updates.map((update) => update.projectId),
      context,
    )
    return updates.map(({ instanceGroupId, organizationId, projectId }) => {
      const project = projectId === null ? undefined : projects.get(projectId)
      const unified = project && { id: project.id, name: project.name, description: project.description }
      return {
        ...summaryEntry('instance_group', groups.get(instanceGroupId ?? 0)),
        ...summaryEntry('organization', organizations.get(organizationId ?? 0)),
        ...summaryEntry('unified_job_template', unified && { ...unified, unified_job_type: 'project_update' }),
      }
    })
  },
  present: (wire, update, context) => ({ ...wire, elapsed: elapsedSeconds(update, new Date(context.now).getTime()) }),
})
