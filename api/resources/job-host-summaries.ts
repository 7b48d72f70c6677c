import { jobHostSummaries } from '../../store/schema/jobs.ts'
import { derived, type Field } from '../field.ts'
import { defineResource } from '../resource.ts'

const counts: Record<string, Field> = Object.fromEntries(
  ['changed', 'dark', 'failures', 'ok', 'processed', 'skipped'].map((name) => [name, { kind: 'integer', min: 0 }]),
)

/** `/api/v2/job_host_summaries/N/`: what one job did on one host. Listed below jobs, hosts and groups only. */
export const jobHostSummariesResource = defineResource({
  name: 'job_host_summaries',
  type: 'job_host_summary',
  model: 'JobHostSummary',
  detailsOnly: true,
  table: jobHostSummaries,
  methods: { list: ['GET'], detail: ['GET'] },
  fields: {
    job: { kind: 'id', to: 'jobs' },
    host: { kind: 'id', to: 'hosts' },
    constructed_host: derived('id', () => null),
    host_name: { kind: 'string' },
    ...counts,
    failed: { kind: 'boolean' },
    ignored: { kind: 'integer', min: 0 },
    rescued: { kind: 'integer', min: 0 },
  },
  order: ['-id'],
  searchFields: ['host_name'],
  summary: { fields: ['failed'] },
})
