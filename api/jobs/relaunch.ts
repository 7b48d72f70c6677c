import { and, count, eq } from 'drizzle-orm'
import { isFinal } from '../../model/job.ts'
import { launchSecrets } from '../../model/launch.ts'
import { readPrompts } from '../../model/prompts.ts'
import { pythonText } from '../../model/variables.ts'
import type { Database } from '../../store/database.ts'
import { createJob, secretAnswersKey } from '../../store/launch/create-job.ts'
import { eligibleGroups, loadSources } from '../../store/launch/sources.ts'
import { inventories } from '../../store/schema/inventory.ts'
import { jobEvents, jobHostSummaries, unifiedJobCredentials } from '../../store/schema/jobs.ts'
import { jobTemplates } from '../../store/schema/templates.ts'
import type { RequestContext } from '../context.ts'
import { ValidationError } from '../errors.ts'
import { jobLabelIds } from '../labels/of-job.ts'
import { madeHeaders, makeOnce } from '../launch/idempotency.ts'
import { launchedBody } from '../launch/launch.ts'
import type { Action, ActionInput, ActionResult } from '../resource.ts'
import { jobCredentials } from './credentials.ts'
import type { JobRow } from './fields.ts'
import { secretAnswers } from './secret-answers.ts'

/** `/jobs/N/relaunch/`: the same job again with the prompts it was launched with. */
export const relaunchAction: Action<JobRow> = {
  GET: showRelaunch,
  POST: relaunch,
  permission: { POST: 'start' },
  ownTransaction: true,
  fields: {
    GET: {
      passwords_needed_to_start: { type: 'field', label: 'Passwords needed to start', filterable: false },
      retry_counts: { type: 'field', label: 'Retry counts', filterable: false },
    },
    POST: {
      hosts: {
        type: 'choice',
        required: false,
        label: 'Hosts',
        filterable: false,
        default: 'all',
        choices: [
          [null, '---------'],
          ['all', 'No change to job limit'],
          ['failed', 'All failed and unreachable hosts'],
        ],
        write_only: true,
      },
      credential_passwords: {
        type: 'json',
        required: true,
        label: 'Credential passwords',
        filterable: false,
        write_only: true,
      },
    },
  },
}

async function showRelaunch({ object: job, context }: ActionInput<JobRow>): Promise<ActionResult> {
  return {
    status: 200,
    body: {
      passwords_needed_to_start: await passwordsNeeded(job, context),
      retry_counts: isFinal(job.status)
        ? await hostCounts(context.db, job.id)
        : 'Relaunch by host status not available until job finishes running.',
    },
  }
}

async function relaunch({ object: job, body, context, render }: ActionInput<JobRow>): Promise<ActionResult> {
  const limit = await chooseLimit(job, body.hosts, context)
  await requireParts(job, context)
  const { passwords } = readPrompts(body)
  const needed = await passwordsNeeded(job, context)
  const missing = needed.filter((name) => !passwords[name])
  if (missing.length > 0) {
    throw ValidationError.on('credential_passwords', `Missing passwords needed to start: ${missing.join(', ')}`)
  }
  const answers = secretAnswers(job, context)
  const given = Object.fromEntries(needed.map((name) => [name, passwords[name] ?? '']))
  const made = await makeOnce(context, body, async (tx) => {
    const again = await createJob(tx, await copyOf(job, limit, tx, context), {
      credentialIds: await credentialIds(tx, job.id),
      labelIds: await jobLabelIds(tx, job.id),
      secrets: launchSecrets(given, answers),
      answers,
      keyring: context.deps.keyring,
    })
    return { jobId: again.id, ignoredFields: {} }
  })
  return {
    status: 201,
    body: { ...launchedBody(await render('jobs', made.jobId)), job: made.jobId },
    headers: madeHeaders('jobs', made),
  }
}

/** The job's limit, or the hosts that failed. */
async function chooseLimit(job: JobRow, hosts: unknown, context: RequestContext): Promise<string> {
  if (hosts === undefined || hosts === null || hosts === '' || hosts === 'all') return job.limit
  if (hosts !== 'failed') throw ValidationError.on('hosts', `"${pythonText(hosts)}" is not a valid choice.`)
  const refuse = (message: string): never => {
    throw new ValidationError({ hosts: message })
  }
  if (!isFinal(job.status)) refuse('Wait until job finishes before retrying on failed hosts.')
  const [stats] = await context.db
    .select({ id: jobEvents.id })
    .from(jobEvents)
    .where(and(eq(jobEvents.jobId, job.id), eq(jobEvents.event, 'playbook_on_stats')))
    .limit(1)
  if (!stats) refuse('Cannot retry on failed hosts, playbook stats not available.')
  const failed = await context.db
    .select({ name: jobHostSummaries.hostName })
    .from(jobHostSummaries)
    .where(and(eq(jobHostSummaries.jobId, job.id), eq(jobHostSummaries.failed, true)))
    .orderBy(jobHostSummaries.hostName)
  if (failed.length === 0) refuse('Cannot relaunch because previous job had 0 failed hosts.')
  return failed.map(({ name }) => name).join(',')
}

/** What was deleted since cannot be run again. */
async function requireParts(job: JobRow, context: RequestContext): Promise<void> {
  if (job.container) return
  if (job.projectId === null) throw new ValidationError({ errors: ['Job Template Project is missing or undefined.'] })
  const [inventory] =
    job.inventoryId === null
      ? []
      : await context.db
          .select({ gone: inventories.pendingDeletion })
          .from(inventories)
          .where(eq(inventories.id, job.inventoryId))
  if (!inventory || inventory.gone) {
    throw new ValidationError({ errors: ['Job Template Inventory is missing or undefined.'] })
  }
}

async function passwordsNeeded(job: JobRow, context: RequestContext): Promise<string[]> {
  const credentials = await jobCredentials([job.id], context)
  return [...new Set((credentials.get(job.id) ?? []).flatMap((credential) => credential.passwords))]
}

async function copyOf(job: JobRow, limit: string, tx: Database, context: RequestContext) {
  const { [secretAnswersKey]: _answers, ...launchConfig } = job.launchConfig
  const [template] =
    job.jobTemplateId === null
      ? []
      : await tx
          .select({ prevents: jobTemplates.preventInstanceGroupFallback })
          .from(jobTemplates)
          .where(eq(jobTemplates.id, job.jobTemplateId))
  const sources = await loadSources({ db: tx, keyring: context.deps.keyring }, job)
  return {
    type: 'job' as const,
    name: job.name,
    description: job.description,
    unifiedJobTemplateId: job.unifiedJobTemplateId,
    jobTemplateId: job.jobTemplateId,
    organizationId: job.organizationId,
    launchType: 'relaunch' as const,
    executionEnvironmentId: job.executionEnvironmentId,
    eligibleGroups: eligibleGroups(
      sources,
      template?.prevents ?? false,
      launchConfig.instance_groups as number[] | undefined,
    ),
    launchConfig,
    createdById: context.actor.id,
    jobType: job.jobType,
    inventoryId: job.inventoryId,
    projectId: job.projectId,
    playbook: job.playbook,
    scmBranch: job.scmBranch,
    forks: job.forks,
    limit,
    verbosity: job.verbosity,
    extraVars: job.extraVars,
    jobTags: job.jobTags,
    forceHandlers: job.forceHandlers,
    skipTags: job.skipTags,
    startAtTask: job.startAtTask,
    timeout: job.timeout,
    useFactCache: job.useFactCache,
    becomeEnabled: job.becomeEnabled,
    diffMode: job.diffMode,
    allowSimultaneous: job.allowSimultaneous,
    container: job.container,
    jobSliceNumber: job.jobSliceNumber,
    jobSliceCount: job.jobSliceCount,
    priority: job.priority,
    retryPolicy: job.retryPolicy,
    holdOnFailureSeconds: job.holdOnFailureSeconds,
  }
}

async function credentialIds(tx: Database, jobId: number): Promise<number[]> {
  const rows = await tx
    .select({ id: unifiedJobCredentials.credentialId })
    .from(unifiedJobCredentials)
    .where(eq(unifiedJobCredentials.jobId, jobId))
  return rows.map(({ id }) => id)
}

async function hostCounts(db: Database, jobId: number): Promise<{ all: number; failed: number }> {
  const rows = await db
    .select({ failed: jobHostSummaries.failed, hosts: count() })
    .from(jobHostSummaries)
    .where(eq(jobHostSummaries.jobId, jobId))
    .groupBy(jobHostSummaries.failed)
  const failed = rows.find((row) => row.failed)?.hosts ?? 0
  return { all: failed + (rows.find((row) => !row.failed)?.hosts ?? 0), failed }
}
