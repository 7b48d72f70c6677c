import { sql } from 'drizzle-orm'
import { unifiedJobTemplates } from '../../store/unified-templates.ts'
import { derived, type Field } from '../field.ts'
import { templateStatusChoices } from '../jobs/fields.ts'
import { defineResource } from '../resource.ts'
import { jobTypeOf } from '../workflows/template-kinds.ts'

/** Resources whose objects jobs are made from, as AWX orders their kinds. */
const kinds = ['projects', 'inventory_sources', 'job_templates', 'system_job_templates', 'workflow_job_templates']

/** A field that only filters reach: rows are shown by the resource of their kind. */
const onlyFilter = (field: Field): Field => ({ ...field, readOnly: true, writeOnly: true })

/** `/api/v2/unified_job_templates/`: all that jobs are made from in one list, each as its own resource shows it. */
export const unifiedJobTemplatesResource = defineResource({
  name: 'unified_job_templates',
  type: 'unified_job_template',
  model: 'UnifiedJobTemplate',
  table: unifiedJobTemplates,
  variants: kinds,
  methods: { list: ['GET'], detail: [] },
  fields: {
    name: { kind: 'string' },
    description: { kind: 'string' },
    last_job_run: { kind: 'datetime' },
    last_job_failed: { kind: 'boolean' },
    next_job_run: derived('datetime', () => null, { filterable: true }),
    status: { kind: 'choice', choices: templateStatusChoices },
    execution_environment: derived('id', () => null, { filterable: true }),
    organization: onlyFilter({ kind: 'id', to: 'organizations' }),
    playbook: onlyFilter({ kind: 'string' }),
  },
  relations: { jobtemplate: { kind: 'one', to: 'job_templates', column: 'id' } },
  order: ['name'],
  searchFields: ['description', 'name', 'jobtemplate__playbook'],
  // Approvals belong to their nodes; kinds that are not served cannot be shown.
  filter: (_query, { registry }) =>
    sql`${unifiedJobTemplates.type} IN ${kinds.flatMap((name) => registry.find(name)?.resource.type ?? [])}`,
  summary: {
    fields: ['name', 'description'],
    extra: (rows) => rows.map(({ type }) => ({ unified_job_type: jobTypeOf[type] })),
  },
})
