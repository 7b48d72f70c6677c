import { unifiedJobs } from '../../store/schema/jobs.ts'
import { jobTypeChoices, unifiedJobFields } from '../jobs/fields.ts'
import { defineResource } from '../resource.ts'

/** `/api/v2/unified_jobs/`: jobs of all kinds in one list, each as its own resource shows it. */
export const unifiedJobsResource = defineResource({
  name: 'unified_jobs',
  type: 'unified_job',
  model: 'UnifiedJob',
  table: unifiedJobs,
  variants: ['project_updates', 'jobs'],
  methods: { list: ['GET'], detail: [] },
  fields: {
    ...unifiedJobFields('job_templates'),
    controller_node: { kind: 'string' },
    // Only filters reach these: rows are shown by the resource of their kind.
    job_type: { kind: 'choice', choices: jobTypeChoices },
    inventory: { kind: 'id', to: 'inventory' },
    project: { kind: 'id', to: 'projects' },
    organization: { kind: 'id', to: 'organizations' },
    job_template: { kind: 'id', to: 'job_templates' },
    instance_group: { kind: 'id', to: 'instance_groups' },
    limit: { kind: 'string' },
    playbook: { kind: 'string' },
  },
  searchFields: ['description', 'name', 'playbook'],
})
