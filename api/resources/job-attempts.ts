import { attempts } from '../../store/schema/runtime.ts'
import { derived } from '../field.ts'
import { defineResource } from '../resource.ts'

const phases = [
  ['claimed', 'It holds a place of its group'],
  ['created', 'The cluster has its pod'],
  ['delivered', 'The play was started, or may have been'],
  ['ended', 'It has ended'],
  ['released', 'The pod is gone'],
] as const

const cause = (row: object) => (row as typeof attempts.$inferSelect).cause

/** `/api/v2/job_attempts/N/`: one pod for one job. Listed below jobs only; AWX knows no attempts. */
export const jobAttemptsResource = defineResource({
  name: 'job_attempts',
  type: 'job_attempt',
  model: 'JobAttempt',
  label: 'job attempt',
  detailsOnly: true,
  table: attempts,
  methods: { list: ['GET'], detail: ['GET'] },
  fields: {
    job: { kind: 'id', to: 'jobs' },
    number: { kind: 'integer', help: 'From 1; part of the name of the pod.' },
    phase: { kind: 'choice', choices: phases.map(([value, label]) => [value, label]) },
    instance_group: { kind: 'id', to: 'instance_groups' },
    namespace: { kind: 'string' },
    pod: { kind: 'string', column: 'podName' },
    forks: { kind: 'integer', column: 'impact', help: "What it counts for of its group's max_forks." },
    memory_limit: {
      kind: 'integer',
      column: 'memoryBytes',
      nullable: true,
      help: "Bytes that its container may use, in place of the group's limit, after an attempt that ran out of memory.",
    },
    claimed: { kind: 'datetime', column: 'claimedAt', help: 'When it got its place.' },
    pod_created: { kind: 'datetime', column: 'podCreatedAt' },
    delivered: { kind: 'datetime', column: 'deliveredAt', help: 'From here on the play may have run.' },
    first_event: { kind: 'datetime', column: 'firstEventAt' },
    ended: { kind: 'datetime', column: 'endedAt' },
    held_until: {
      kind: 'datetime',
      help: 'Until when its pod is, or was to be, kept for whoever wants to look into it.',
    },
    released: { kind: 'datetime', column: 'releasedAt', help: 'When the pod was gone, and the place free.' },
    cause: derived('string', (row) => cause(row)?.kind ?? null, { help: 'Why it ended otherwise than by success.' }),
    explanation: derived('string', (row) => cause(row)?.message ?? ''),
    last_output: {
      kind: 'string',
      unsearchable: true,
      help: "The end of what it printed, when another attempt followed. The job's own output is that of its last attempt.",
    },
  },
  order: ['number'],
  summary: { fields: ['number', 'phase'] },
})
