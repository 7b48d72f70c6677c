import { unifiedJobs } from '../../store/schema/jobs.ts'
import { unifiedJobLabels } from '../../store/schema/labels.ts'
import type { Field } from '../field.ts'
import { jobTypeChoices, unifiedJobFields } from '../jobs/fields.ts'
import { defineResource } from '../resource.ts'

/** A field that only filters reach: rows are shown by the resource of their kind. */
const onlyFilter = (field: Field): Field => ({ ...field, readOnly: true, writeOnly: true })

/** `/api/v2/unified_jobs/`: jobs of all kinds in one list, each as its own resource shows it. */
export const unifiedJobsResource = defineResource({
  name: 'unified_jobs',
  type: 'unified_job',
  model: 'UnifiedJob',
  table: unifiedJobs,
  variants: [
    'project_updates',
    'jobs',
    'ad_hoc_commands',
    'inventory_updates',
    'system_jobs',
    'workflow_jobs',
    'workflow_approvals',
  ],
  methods: { list: ['GET'], detail: [] },
  fields: {
    ...unifiedJobFields('unified_job_templates'),
    controller_node: { kind: 'string' },
    job_type: onlyFilter({ kind: 'choice', choices: jobTypeChoices }),
    inventory: onlyFilter({ kind: 'id', to: 'inventory' }),
    project: onlyFilter({ kind: 'id', to: 'projects' }),
    organization: onlyFilter({ kind: 'id', to: 'organizations' }),
    job_template: onlyFilter({ kind: 'id', to: 'job_templates' }),
    instance_group: onlyFilter({ kind: 'id', to: 'instance_groups' }),
    limit: onlyFilter({ kind: 'string' }),
  },
  relations: {
    job: { kind: 'one', to: 'jobs', column: 'id' },
    workflowjob: { kind: 'one', to: 'workflow_jobs', column: 'id' },
    unified_job_node: { kind: 'many', to: 'workflow_job_nodes', column: 'jobId' },
    labels: { kind: 'through', to: 'labels', table: unifiedJobLabels, parent: 'jobId', child: 'labelId' },
  },
  searchFields: ['description', 'name', 'job__playbook'],
})
