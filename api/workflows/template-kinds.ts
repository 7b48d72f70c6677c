import { apiRoot } from '../registry.ts'

/** Kind of the jobs that a template of a kind makes, by the `type` of the template. */
export const jobTypeOf: Record<string, string> = {
  job_template: 'job',
  project: 'project_update',
  inventory_source: 'inventory_update',
  system_job_template: 'system_job',
  workflow_job_template: 'workflow_job',
  workflow_approval_template: 'workflow_approval',
}

/** Resource where templates of a kind are found. */
const resourceOf: Record<string, string> = {
  job_template: 'job_templates',
  project: 'projects',
  inventory_source: 'inventory_sources',
  system_job_template: 'system_job_templates',
  workflow_job_template: 'workflow_job_templates',
  workflow_approval_template: 'workflow_approval_templates',
}

/** Resource where jobs of a kind are found. */
const jobResourceOf: Record<string, string> = {
  job: 'jobs',
  project_update: 'project_updates',
  inventory_update: 'inventory_updates',
  system_job: 'system_jobs',
  ad_hoc_command: 'ad_hoc_commands',
  workflow_job: 'workflow_jobs',
  workflow_approval: 'workflow_approvals',
}

/** Link to a template by its kind; null where there is none. */
export function templateLink(type: string | null, id: number | null): string | null {
  return link(type === null ? undefined : resourceOf[type], id)
}

/** Link to a job by its kind; null where there is none. */
export function jobLink(type: string | undefined, id: number | null): string | null {
  return link(type === undefined ? undefined : jobResourceOf[type], id)
}

const link = (resource: string | undefined, id: number | null) =>
  resource === undefined || id === null ? null : `${apiRoot}${resource}/${id}/`
