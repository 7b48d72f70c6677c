import { and, asc, eq } from 'drizzle-orm'
import type { Prompts } from '../../model/prompts.ts'
import type { Database } from '../database.ts'
import { transitionJob } from '../job-status.ts'
import { createInventoryUpdate } from '../launch/inventory-update.ts'
import { acceptedOrBare, decideSavedLaunch, makeLaunchedJob } from '../launch/job-template.ts'
import type { LaunchOrigin } from '../launch/new-job.ts'
import { openAnswers } from '../launch/saved-answers.ts'
import { createSystemJob } from '../launch/system-job.ts'
import { decideWorkflowLaunch, makeLaunchedWorkflowJob } from '../launch/workflow-template.ts'
import { enqueue } from '../outbox.ts'
import { createProjectUpdate } from '../project-updates.ts'
import { unifiedJobs } from '../schema/jobs.ts'
import { scheduleLabels } from '../schema/labels.ts'
import { outbox } from '../schema/runtime.ts'
import { scheduleCredentials, scheduleInstanceGroups } from '../schema/schedules.ts'
import { jobTemplates, projects } from '../schema/templates.ts'
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
  const launch = await decideSavedLaunch({ db: tx, keyring }, template, prompts)
  const { decision } = launch
  // Where it is refused, shown as a job that failed: a run that nobody sees is a run that nobody misses.
  const slicing = decision.ok ? 'allowed' : 'never'
  const job = await makeLaunchedJob(tx, keyring, launch, acceptedOrBare(launch), origin, slicing)
  if (decision.ok) return { jobId: job.id, problem: null }
  return await failAtOnce(tx, job.id, `${notStartable}: ${sentences(decision.errors)}`)
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
