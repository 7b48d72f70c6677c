import { eq } from 'drizzle-orm'
import { forgetTemplate } from '../../store/forget-template.ts'
import { toWireTime } from '../../store/instant.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { jobTemplates, projects } from '../../store/schema/templates.ts'
import { globalEnvironment } from '../environments.ts'
import { type Choice, derived, descriptionField, nameField } from '../field.ts'
import { refuseWhileUsed } from '../jobs/active-jobs.ts'
import { scmTypeChoices, statusChoices } from '../jobs/fields.ts'
import { parentLinks, parentSummaries } from '../jobs/job-summaries.ts'
import { notificationTemplateLists } from '../notifications/attachments.ts'
import { projectFolder } from '../projects/folder.ts'
import { inventoryFilesOf, playbooksOf } from '../projects/playbooks.ts'
import { checkProject } from '../projects/rules.ts'
import { projectUpdateAction, startProjectUpdate } from '../projects/update.ts'
import { defineResource } from '../resource.ts'
import { nextJobRun, scheduleSubList } from '../schedules/below.ts'

type Project = typeof projects.$inferSelect

/** A project without a source of its own has no runs; its folder is there or not. */
const projectStatusChoices: readonly Choice[] = [
  ...statusChoices,
  ['never updated', 'Never Updated'],
  ['ok', 'OK'],
  ['missing', 'Missing'],
]

/** Fields whose change makes a new update necessary. */
const sourceFields = ['scmType', 'scmUrl', 'scmBranch', 'scmRefspec'] as const

const told = notificationTemplateLists('projectId', 'Project')

/** `/api/v2/projects/`: where playbooks come from: a folder on the control plane, or a repository. */
export const projectsResource = defineResource({
  name: 'projects',
  type: 'project',
  model: 'Project',
  table: projects,
  fields: {
    name: nameField(),
    description: descriptionField(),
    local_path: { kind: 'string', maxLength: 1024, blank: true },
    scm_type: { kind: 'choice', label: 'SCM Type', choices: scmTypeChoices, default: '' },
    scm_url: { kind: 'string', label: 'SCM URL', maxLength: 1024, default: '' },
    scm_branch: { kind: 'string', label: 'SCM Branch', maxLength: 256, default: '' },
    scm_refspec: { kind: 'string', label: 'SCM refspec', maxLength: 1024, default: '' },
    scm_clean: { kind: 'boolean', default: false },
    scm_track_submodules: { kind: 'boolean', default: false },
    scm_delete_on_update: { kind: 'boolean', default: false },
    credential: { kind: 'id', to: 'credentials' },
    timeout: { kind: 'integer', min: -2147483648, max: 2147483647, default: 0 },
    scm_revision: { kind: 'string', label: 'SCM Revision', readOnly: true },
    last_job_run: { kind: 'datetime', readOnly: true },
    last_job_failed: { kind: 'boolean', readOnly: true },
    next_job_run: nextJobRun,
    status: { kind: 'choice', choices: projectStatusChoices, readOnly: true },
    organization: { kind: 'id', to: 'organizations' },
    scm_update_on_launch: { kind: 'boolean', default: false },
    scm_update_cache_timeout: { kind: 'integer', min: 0, max: 2147483647, default: 0 },
    allow_override: { kind: 'boolean', default: false },
    custom_virtualenv: derived('string', () => null, { filterable: true }),
    default_environment: { kind: 'id', to: 'execution_environments' },
    signature_validation_credential: { kind: 'id', to: 'credentials' },
    last_update_failed: derived('boolean', (row) => (row as unknown as Project).lastJobFailed),
    last_updated: derived('datetime', (row) => toWireTime((row as unknown as Project).lastJobRun)),
  },
  relations: {
    ...told.relations,
    project_updates: { kind: 'many', to: 'project_updates', column: 'projectId' },
    jobtemplates: { kind: 'many', to: 'job_templates', column: 'projectId' },
    scm_inventory_sources: { kind: 'many', to: 'inventory_sources', column: 'sourceProjectId' },
  },
  order: ['name'],
  searchFields: ['description', 'name'],
  namedUrl: [['name'], ['organization__name']],
  summary: { fields: ['name', 'description', 'status', 'scm_type', 'allow_override'] },
  capabilities: ['edit', 'delete', 'start', 'schedule', 'copy'],
  objectRoles: ['admin_role', 'use_role', 'update_role', 'read_role'],
  unique: [{ fields: ['organization', 'name'], soft: true }],
  subLists: {
    schedules: scheduleSubList('Project Schedules'),
    ...told.subLists,
    scm_inventory_sources: { relation: 'scm_inventory_sources', title: 'Project SCM Inventory Sources' },
    project_updates: {
      resource: 'project_updates',
      where: (project) => eq(unifiedJobs.projectId, project.id),
      title: 'Project Updates List',
    },
  },
  actions: {
    update: projectUpdateAction,
    playbooks: {
      GET: async ({ object, context }) => ({ status: 200, body: await playbooksOf(object, context) }),
      fields: { GET: { playbooks: { type: 'field', label: 'Playbooks', filterable: false } } },
    },
    inventories: {
      GET: async ({ object, context }) => ({ status: 200, body: await inventoryFilesOf(object, context) }),
      link: 'inventory_files',
      fields: { GET: { inventory_files: { type: 'json', label: 'Inventory files', filterable: true } } },
    },
  },
  copy: { omit: ['local_path'] },
  permissions: {
    refuse: (action, project) =>
      // A manual project has nothing to start, and its folder belongs to one project only.
      project?.scmType === '' && ['start', 'schedule', 'copy'].includes(action)
        ? 'You do not have permission to perform this action.'
        : undefined,
  },
  hooks: {
    validate: checkProject,
    async prepare(values, { merged, before, context }) {
      if (merged.scm_type !== '') {
        // The folder of a repository is ours to name.
        const { localPath: _ours, ...rest } = values
        return rest
      }
      if (before && !('localPath' in values) && !('scmType' in values)) return values
      const folder = await projectFolder(context.deps.projectsRoot, String(values.localPath ?? before?.localPath ?? ''))
      // A folder has no revision, and what was found in a repository is not in it.
      const source = { scmRevision: '', playbookFiles: [], inventoryFiles: [] }
      return { ...values, ...source, status: folder === null ? 'missing' : 'ok', lastJobRun: context.now }
    },
    async afterWrite(project, before, context) {
      if (before && before.organizationId !== project.organizationId) {
        const changes = { organizationId: project.organizationId }
        await context.db.update(jobTemplates).set(changes).where(eq(jobTemplates.projectId, project.id))
      }
      if (project.scmType === '') return
      const named =
        project.localPath === '' || before?.scmType === '' ? { ...project, localPath: folderName(project) } : project
      if (named !== project) {
        await context.db.update(projects).set({ localPath: named.localPath }).where(eq(projects.id, project.id))
      }
      if (!before || sourceFields.some((field) => before[field] !== project[field])) {
        await startProjectUpdate(context, named)
      }
    },
    async beforeDelete(project, context) {
      await refuseWhileUsed(context, eq(unifiedJobs.projectId, project.id))
      await forgetTemplate(context.db, project.id)
    },
  },
  related: (project) => parentLinks(project, 'project_updates'),
  async summaries(rows, context) {
    const jobs = await parentSummaries(rows, context)
    const environment = await globalEnvironment(context)
    const resolved = environment && {
      id: environment.id,
      name: environment.name,
      description: environment.description,
      image: environment.image,
    }
    return jobs.map((summaries) => ({ ...summaries, ...(resolved ? { resolved_environment: resolved } : {}) }))
  },
})

/** Name of a repository's folder, as AWX makes it: `_12__my_project`. */
function folderName({ id, name }: Project): string {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9_\s-]/g, '')
    .trim()
    .replace(/[-\s]+/g, '_')
  return `_${id}__${slug}`
}
