import { eq } from 'drizzle-orm'
import type { LaunchTemplate } from '../../model/launch.ts'
import { type Prompts, readPrompts } from '../../model/prompts.ts'
import { decideJobTemplateLaunch, isMadeByOneStatement, makeLaunchedJob } from '../../store/launch/job-template.ts'
import type { Accepted } from '../../store/launch/new-job.ts'
import type { LaunchSources, TemplateRow } from '../../store/launch/sources.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import type { RequestContext, Row } from '../context.ts'
import { ValidationError } from '../errors.ts'
import { rememberJobCredentials } from '../jobs/credentials.ts'
import type { JobRow } from '../jobs/fields.ts'
import { explainNothingYet } from '../jobs/waiting.ts'
import { rememberNoLabels } from '../labels/summaries.ts'
import { authorize } from '../permissions.ts'
import type { Action, ActionInput, ActionResult } from '../resource.ts'
import { serializeOne } from '../serialize.ts'
import { rememberSummaries } from '../summary.ts'
import { launchFields } from './fields.ts'
import { type MadeJob, madeHeaders, makeOnce } from './idempotency.ts'
import { showLaunch } from './view.ts'

/** `/job_templates/N/launch/`. */
export const launchAction: Action<TemplateRow> = {
  GET: showLaunch,
  POST: launchJob,
  fields: launchFields,
  ownTransaction: true,
}

async function launchJob({ object: template, body, context, render }: ActionInput<TemplateRow>): Promise<ActionResult> {
  const { prompts, passwords, errors } = readPrompts(body)
  const { keyring } = context.deps
  const launch = await decideJobTemplateLaunch({ db: context.db, keyring }, template, prompts, passwords, errors)
  const { decision, rules, sources } = launch
  if (!decision.ok) throw new ValidationError(decision.errors)
  await authorizePrompts(context, decision.accepted, rules)

  let job: JobRow | undefined
  const reading = rememberParts(template, sources, context)
  // Its failure is told where it is awaited.
  reading.catch(() => {})
  const made = await makeOnce(
    context,
    body,
    async (tx) => {
      job = await makeLaunchedJob(tx, keyring, launch, decision, {
        launchType: 'manual',
        createdById: context.actor.id,
      })
      return { jobId: job.id, ignoredFields: decision.ignored }
    },
    isMadeByOneStatement(launch, decision),
  )
  await reading
  const type = job?.type ?? (await typeOf(context, made.jobId))
  if (type === 'workflow_job') return await slicedAnswer(made, render)
  const shown = made.replayed || !job ? await render('jobs', made.jobId) : await showMade(job, decision, rules, context)
  return {
    status: 201,
    body: { job: made.jobId, ignored_fields: made.ignoredFields, ...launchedBody(shown) },
    headers: madeHeaders('jobs', made),
  }
}

/** A launch that was cut into slices is answered with their workflow job. */
async function slicedAnswer(made: MadeJob, render: ActionInput<TemplateRow>['render']): Promise<ActionResult> {
  const shown = launchedBody(await render('workflow_jobs', made.jobId))
  return {
    status: 201,
    body: { workflow_job: made.jobId, ignored_fields: made.ignoredFields, ...shown },
    headers: madeHeaders('workflow_jobs', made),
  }
}

async function typeOf({ db }: RequestContext, jobId: number): Promise<JobRow['type'] | undefined> {
  const [row] = await db.select({ type: unifiedJobs.type }).from(unifiedJobs).where(eq(unifiedJobs.id, jobId))
  return row?.type
}

/** What the new job's wire form shows of its parts, out of what launching has read already, while the job is being made: launches come in bursts. */
async function rememberParts(template: TemplateRow, sources: LaunchSources, context: RequestContext): Promise<void> {
  const { registry } = context
  const rows: [string, Row | null][] = [
    ['job_templates', template],
    ['projects', sources.project],
    ['inventory', sources.inventory],
    ['organizations', sources.organization],
    ['execution_environments', sources.executionEnvironment],
    ['users', { ...context.actor }],
  ]
  await Promise.all(
    rows.map(async ([resource, row]) => row && (await rememberSummaries(registry.get(resource), [row], context))),
  )
}

/** The new job's wire form. */
async function showMade(
  job: JobRow,
  { accepted, credentials }: Accepted,
  rules: LaunchTemplate,
  context: RequestContext,
): Promise<Record<string, unknown>> {
  const attached = credentials.map(({ id, name, description, namespace, kind, passwordsNeeded: passwords }) => ({
    summary: { id, name, description, kind: namespace, cloud: kind === 'cloud' },
    passwords,
  }))
  rememberJobCredentials(job.id, attached, context)
  if ((accepted.labels ?? rules.labels).length === 0) rememberNoLabels(job.id, context)
  explainNothingYet(job.id, context)
  return await serializeOne(context.registry.get('jobs'), job, context)
}

/** What a prompt brings in must be usable by who launches; what the template has already need not. */
async function authorizePrompts(context: RequestContext, accepted: Prompts, rules: LaunchTemplate): Promise<void> {
  const uses: [string, number[]][] = [
    ['inventory', accepted.inventory === undefined ? [] : [accepted.inventory]],
    ['credentials', accepted.credentials ?? []],
    ['instance_groups', (accepted.instance_groups ?? []).filter((id) => !rules.instanceGroups.includes(id))],
  ]
  for (const [resource, ids] of uses) {
    for (const id of ids) await authorize(context, 'use', context.registry.get(resource), { id })
  }
  if (accepted.execution_environment !== undefined) {
    await authorize(context, 'read', context.registry.get('execution_environments'), {
      id: accepted.execution_environment,
    })
  }
}

/** AWX answers launches without what only the detail view computes, and with who made it as `modified_by` too. */
export function launchedBody(job: Record<string, unknown>): Record<string, unknown> {
  const { host_status_counts: _counts, playbook_counts: _plays, custom_virtualenv: _virtualenv, ...body } = job
  const related = body.related as Record<string, string>
  const summary = body.summary_fields as Record<string, unknown>
  return {
    ...body,
    related: { ...related, ...(related.created_by ? { modified_by: related.created_by } : {}) },
    summary_fields: { ...summary, ...(summary.created_by ? { modified_by: summary.created_by } : {}) },
  }
}
