import { isFinal, jobStatuses, launchTypes } from '../../model/job.ts'
import { defaultPriority, firstPriority, lastPriority } from '../../model/priority.ts'
import type { unifiedJobs } from '../../store/schema/jobs.ts'
import { type Choice, derived, type Field, type IntegerField } from '../field.ts'
import { launchedBy } from './launched-by.ts'
import { jobExplanations } from './waiting.ts'

/** A row of unified_jobs. */
export type JobRow = typeof unifiedJobs.$inferSelect

const capitalize = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)

/** Statuses as OPTIONS offers them. */
export const statusChoices: readonly Choice[] = jobStatuses.map((status) => [status, capitalize(status)])
/** Statuses of what jobs are made from, of whatever kind. */
export const templateStatusChoices: readonly Choice[] = [
  ...statusChoices,
  ['never updated', 'Never Updated'],
  ['ok', 'OK'],
  ['missing', 'Missing'],
  ['none', 'No External Source'],
  ['updating', 'Updating'],
]
/** Verbosities of a play. */
export const verbosityChoices: readonly Choice[] = [
  [0, '0 (Normal)'],
  [1, '1 (Verbose)'],
  [2, '2 (More Verbose)'],
  [3, '3 (Debug)'],
  [4, '4 (Connection Debug)'],
  [5, '5 (WinRM Debug)'],
]
/** Whether a play changes its hosts. */
export const jobTypeChoices: readonly Choice[] = [
  ['run', 'Run'],
  ['check', 'Check'],
]
/** Where a project's source comes from, in AWX's words. */
export const scmTypeChoices: readonly Choice[] = [
  ['', 'Manual'],
  ['git', 'Git'],
  ['svn', 'Subversion'],
  ['insights', 'Red Hat Insights'],
  ['archive', 'Remote Archive'],
]

/** Who may send webhooks. */
export const webhookServiceChoices: readonly Choice[] = [
  ['', '---------'],
  ['github', 'GitHub'],
  ['gitlab', 'GitLab'],
  ['bitbucket_dc', 'BitBucket DataCenter'],
]

/** Which of several waiting jobs gets the next place. AWX has no such thing. */
export const priorityField: IntegerField = {
  kind: 'integer',
  min: firstPriority,
  max: lastPriority,
  default: defaultPriority,
  help: 'Which of the waiting jobs gets the next place in its instance group: 1 goes first, 5 last.',
}

/** Types of unified jobs in AWX's words. */
export const jobTypeLabels = { job: 'playbook run', project_update: 'SCM Update' } as const

/** Fields of every kind of job before its own ones; `template` is the resource that `unified_job_template` points to. */
export function unifiedJobFields(template: string): Record<string, Field> {
  return {
    name: { kind: 'string' },
    description: { kind: 'string' },
    unified_job_template: { kind: 'id', to: template, label: 'unified job template' },
    launch_type: {
      kind: 'choice',
      choices: launchTypes.map((type): Choice => [type, type === 'scm' ? 'SCM Update' : capitalize(type)]),
    },
    status: { kind: 'choice', choices: statusChoices },
    execution_environment: { kind: 'id', to: 'execution_environments' },
    failed: { kind: 'boolean' },
    started: { kind: 'datetime' },
    finished: { kind: 'datetime' },
    canceled_on: { kind: 'datetime' },
    elapsed: { kind: 'float', options: { type: 'decimal' } },
    job_args: { kind: 'string', detailOnly: true },
    job_cwd: { kind: 'string', detailOnly: true },
    job_env: { kind: 'json', detailOnly: true, unsearchable: true },
    job_explanation: { kind: 'computed', type: 'string', filterable: true, values: jobExplanations },
    execution_node: { kind: 'string' },
    result_traceback: { kind: 'string', detailOnly: true },
    event_processing_finished: derived('boolean', (row) => eventsAreStored(row as unknown as JobRow), {
      detailOnly: true,
    }),
    // AWX shows it by link and summary only.
    schedule: { kind: 'id', to: 'schedules', readOnly: true, writeOnly: true, summarized: true },
    launched_by: { kind: 'computed', type: 'field', filterable: false, values: launchedBy },
    work_unit_id: { kind: 'string', nullable: true },
    priority: { ...priorityField, readOnly: true },
  }
}

/** Counts of the stats event, shown in the detail view. */
export const countFields: Record<string, Field> = {
  host_status_counts: { kind: 'json', detailOnly: true },
  playbook_counts: derived(
    'field',
    (row) => ({ play_count: (row as unknown as JobRow).playCount, task_count: (row as unknown as JobRow).taskCount }),
    { detailOnly: true },
  ),
}

/** True when no further event can come: clients that follow a job end here. */
export function eventsAreStored(job: Pick<JobRow, 'status' | 'eventsEmitted' | 'eventsStored'>): boolean {
  return isFinal(job.status) && job.eventsStored >= (job.eventsEmitted ?? 0)
}

/** Seconds a job has run so far; the stored value once it ended. `now` in milliseconds. */
export function elapsedSeconds(job: Pick<JobRow, 'started' | 'finished' | 'elapsed'>, now: number): number {
  if (job.finished || !job.started) return job.elapsed
  return Math.max(0, Math.round(now - new Date(job.started).getTime()) / 1000)
}
