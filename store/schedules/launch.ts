import { and, asc, eq } from 'drizzle-orm'
import type { LaunchDecision } from '../../model/launch.ts'
import type { Prompts } from '../../model/prompts.ts'
import type { Database } from '../database.ts'
import { transitionJob } from '../job-status.ts'
import { createInventoryUpdate } from '../launch/inventory-update.ts'
import { decideJobTemplateLaunch, makeLaunchedJob } from '../launch/job-template.ts'
import type { Accepted, LaunchOrigin } from '../launch/new-job.ts'
import { openAnswers } from '../launch/saved-answers.ts'
import { createSystemJob } from '../launch/system-job.ts'
import { decideWorkflowLaunch, makeLaunchedWorkflowJob } from '../launch/workflow-template.ts'
import { enqueue } from '../outbox.ts'
import { createProjectUpdate } from '../project-updates.ts'
import { unifiedJobs } from '../schema/jobs.ts'
import { scheduleLabels } from '../schema/labels.ts'
import { outbox } from '../schema/runtime.ts'
import { scheduleCredentials, scheduleInstanceGroups } from '../schema/schedules.ts'
import { jobTemplateCredentials, jobTemplates, projects } from '../schema/templates.ts'
import { inventorySources, systemJobTemplates } from '../schema/updates.ts'
import { workflowJobTemplates } from '../schema/workflows.ts'
import type { Keyring } from '../secrets.ts'
import { scheduledType } from './next-run.ts'
import type { ScheduleRow } from './runs.ts'

/** What came of a launch: a job, perhaps one that ended at once because of `problem`; or no job, because there is nothing to launch. */
export interface ScheduledJob {
  jobId: number | null
  problem: string | null
}

/** AWX's sentence on the job. */
const notStartable =
  'Scheduled job could not start because it was not in the right state or required manual credentials'

/** Launches the template of a schedule with the schedule's prompts, within the caller's transaction. */
export async function launchScheduled(tx: Database, keyring: Keyring, schedule: ScheduleRow): Promise<ScheduledJob> {
  const templateId = schedule.unifiedJobTemplateId
  const origin = { launchType: 'scheduled' as const, createdById: null, scheduleId: schedule.id }
  switch (await scheduledType(tx, templateId)) {
    case 'job_template':
      return await launchJobTemplate(tx, keyring, schedule, origin)
    case 'workflow_job_template':
      return await launchWorkflow(tx, keyring, schedule, origin)
    case 'project': {
      const [project] = await tx.select().from(projects).where(eq(projects.id, templateId))
      if (!project) return { jobId: null, problem: 'The project is gone.' }
      const jobId = await createProjectUpdate(tx, project, { launchType: 'scheduled', createdById: null })
      return await started(tx, schedule, jobId)
    }
    case 'inventory_source': {
      const [source] = await tx.select().from(inventorySources).where(eq(inventorySources.id, templateId))
      if (!source) return { jobId: null, problem: 'The inventory source is gone.' }
      const jobId = await createInventoryUpdate(tx, source, origin)
      await enqueue(tx, 'start', jobId)
      return { jobId, problem: null }
    }
    case 'system_job_template': {
      const [template] = await tx.select().from(systemJobTemplates).where(eq(systemJobTemplates.id, templateId))
      if (!template) return { jobId: null, problem: 'The system job template is gone.' }
      const jobId = await createSystemJob(tx, template, { ...origin, extraVars: schedule.extraData })
      await enqueue(tx, 'start', jobId)
      return { jobId, problem: null }
    }
    default:
      return { jobId: null, problem: `There is nothing to launch: template ${templateId} is gone.` }
  }
}

async function launchJobTemplate(
  tx: Database,
  keyring: Keyring,
  schedule: ScheduleRow,
  origin: LaunchOrigin,
): Promise<ScheduledJob> {
  const [template] = await tx.select().from(jobTemplates).where(eq(jobTemplates.id, schedule.unifiedJobTemplateId))
  if (!template) return { jobId: null, problem: 'The job template is gone.' }
  const prompts = await readSchedulePrompts(tx, keyring, schedule)
  if (prompts.credentials) prompts.credentials = [...(await ownCredentials(tx, template.id)), ...prompts.credentials]
  const store = { db: tx, keyring }
  let launch = await decideJobTemplateLaunch(store, template, prompts)
  if (!launch.decision.ok) {
    const acceptable = withoutRefused(prompts, launch.decision)
    if (acceptable) launch = await decideJobTemplateLaunch(store, template, acceptable)
  }
  const { decision, rules } = launch
  if (decision.ok) return { jobId: (await makeLaunchedJob(tx, keyring, launch, decision, origin)).id, problem: null }
  // Shown as a job that failed: a run that nobody sees is a run that nobody misses.
  const bare: Accepted = { ok: true, accepted: {}, ignored: {}, credentials: rules.credentials, passwords: {} }
  const job = await makeLaunchedJob(tx, keyring, launch, bare, origin, 'never')
  const problem = `${notStartable}: ${sentences(decision.errors)}`
  return await failAtOnce(tx, job.id, problem)
}

async function launchWorkflow(
  tx: Database,
  keyring: Keyring,
  schedule: ScheduleRow,
  origin: LaunchOrigin,
): Promise<ScheduledJob> {
  const [template] = await tx
    .select()
    .from(workflowJobTemplates)
    .where(eq(workflowJobTemplates.id, schedule.unifiedJobTemplateId))
  if (!template) return { jobId: null, problem: 'The workflow job template is gone.' }
  const prompts = await readSchedulePrompts(tx, keyring, schedule)
  const launch = await decideWorkflowLaunch({ db: tx, keyring }, template, prompts, { unprompted: 'ignore' })
  const { decision } = launch
  if (decision.ok) {
    return { jobId: (await makeLaunchedWorkflowJob(tx, keyring, launch, decision, origin)).id, problem: null }
  }
  const job = await makeLaunchedWorkflowJob(tx, keyring, launch, { ok: true, accepted: {}, ignored: {} }, origin)
  const problem = `${notStartable}: ${sentences(decision.errors)}`
  return await failAtOnce(tx, job.id, problem)
}

/** Ends a job that can never run before anybody begins it. */
async function failAtOnce(tx: Database, jobId: number, problem: string): Promise<ScheduledJob> {
  await tx.delete(outbox).where(and(eq(outbox.subjectId, jobId), eq(outbox.kind, 'start')))
  await transitionJob(tx, jobId, 'failed', { explanation: problem })
  return { jobId, problem }
}

/** Names the schedule on a job that was made without it, and has it started. */
async function started(tx: Database, schedule: ScheduleRow, jobId: number): Promise<ScheduledJob> {
  await tx.update(unifiedJobs).set({ scheduleId: schedule.id }).where(eq(unifiedJobs.id, jobId))
  await enqueue(tx, 'start', jobId)
  return { jobId, problem: null }
}

/** Credentials given to a job join those of its template, or take the place of one of the same type: none is left out. */
async function ownCredentials(tx: Database, templateId: number): Promise<number[]> {
  const rows = await tx
    .select({ id: jobTemplateCredentials.credentialId })
    .from(jobTemplateCredentials)
    .where(eq(jobTemplateCredentials.jobTemplateId, templateId))
  return rows.map(({ id }) => id)
}

/** The prompts without those that the template objects to by now, which AWX drops; null when what it objects to is something else. */
function withoutRefused(prompts: Prompts, decision: Extract<LaunchDecision, { ok: false }>): Prompts | null {
  const refused = Object.keys(decision.errors).filter((field) => field in prompts && field !== 'inventory')
  if (refused.length === 0) return null
  return Object.fromEntries(Object.entries(prompts).filter(([field]) => !refused.includes(field))) as Prompts
}

const sentences = (errors: Record<string, unknown>) => Object.values(errors).flat().map(String).join(' ')

/** What a schedule says to the launch of its template; answers to password questions in clear. */
async function readSchedulePrompts(tx: Database, keyring: Keyring, schedule: ScheduleRow): Promise<Prompts> {
  const credentials = await tx
    .select({ id: scheduleCredentials.credentialId })
    .from(scheduleCredentials)
    .where(eq(scheduleCredentials.scheduleId, schedule.id))
  const labels = await tx
    .select({ id: scheduleLabels.labelId })
    .from(scheduleLabels)
    .where(eq(scheduleLabels.scheduleId, schedule.id))
  const groups = await tx
    .select({ id: scheduleInstanceGroups.instanceGroupId })
    .from(scheduleInstanceGroups)
    .where(eq(scheduleInstanceGroups.scheduleId, schedule.id))
    .orderBy(asc(scheduleInstanceGroups.position))
  const ids = (rows: { id: number }[]) => (rows.length > 0 ? rows.map(({ id }) => id) : null)
  const variables = openAnswers(keyring, schedule.unifiedJobTemplateId, schedule.extraData)
  const given = {
    scm_branch: schedule.scmBranch,
    extra_vars: Object.keys(variables).length > 0 ? variables : null,
    job_tags: schedule.jobTags,
    diff_mode: schedule.diffMode,
    skip_tags: schedule.skipTags,
    job_type: schedule.jobType,
    limit: schedule.limit,
    verbosity: schedule.verbosity,
    inventory: schedule.inventoryId,
    credentials: ids(credentials),
    execution_environment: schedule.executionEnvironmentId,
    labels: ids(labels),
    forks: schedule.forks,
    job_slice_count: schedule.jobSliceCount,
    timeout: schedule.timeout,
    priority: schedule.priority,
    instance_groups: ids(groups),
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)) as Prompts
}
