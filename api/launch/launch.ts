import {
  canStartWithoutInput,
  credentialPlace,
  decideLaunch,
  jobVariables,
  type LaunchDecision,
  type LaunchTemplate,
  launchSecrets,
  missingObjects,
  passwordsNeeded,
  splitSecretAnswers,
} from '../../model/launch.ts'
import { type Prompts, promptFlags, readPrompts } from '../../model/prompts.ts'
import { variablesNeeded } from '../../model/survey.ts'
import { pythonJson } from '../../model/variables.ts'
import type { RequestContext, Row } from '../context.ts'
import { ValidationError } from '../errors.ts'
import { rememberJobCredentials } from '../jobs/credentials.ts'
import type { JobRow } from '../jobs/fields.ts'
import { explainNothingYet } from '../jobs/waiting.ts'
import { authorize } from '../permissions.ts'
import type { Action, ActionInput, ActionResult } from '../resource.ts'
import { serializeOne } from '../serialize.ts'
import { loadSummaries, rememberSummaries } from '../summary.ts'
import { openSurveyDefault } from '../templates/survey.ts'
import { createJob } from './create-job.ts'
import { launchFields } from './fields.ts'
import { makeOnce } from './idempotency.ts'
import {
  eligibleGroups,
  type LaunchSources,
  launchTemplate,
  loadObjects,
  loadSources,
  type TemplateRow,
} from './sources.ts'

/** `/job_templates/N/launch/` (awx.md §4.9). */
export const launchAction: Action<TemplateRow> = {
  GET: showLaunch,
  POST: launch,
  fields: launchFields,
  ownTransaction: true,
}

type Accepted = Extract<LaunchDecision, { ok: true }>

async function launch({ object: template, body, context, render }: ActionInput<TemplateRow>): Promise<ActionResult> {
  const { prompts, passwords, errors } = readPrompts(body)
  const found = await loadObjects(context.db, prompts)
  const complaints = { ...missingObjects(prompts, found), ...errors }
  if (Object.keys(complaints).length > 0) throw new ValidationError(complaints)

  const inventoryId = template.askInventoryOnLaunch ? (prompts.inventory ?? template.inventoryId) : template.inventoryId
  const executionEnvironmentId = template.askExecutionEnvironmentOnLaunch
    ? (prompts.execution_environment ?? template.executionEnvironmentId)
    : template.executionEnvironmentId
  const sources = await loadSources(context.db, {
    ...template,
    jobTemplateId: template.id,
    inventoryId,
    executionEnvironmentId,
  })
  const rules = launchTemplate(template, sources)
  const decision = decideLaunch(rules, prompts, passwords, found)
  if (!decision.ok) throw new ValidationError(decision.errors)
  await authorizePrompts(context, decision.accepted, rules)

  let job: JobRow | undefined
  const made = await makeOnce(context, body, async (tx) => {
    const { values, more } = newJob(template, rules, sources, decision, context)
    job = await createJob(tx, values, more)
    return { jobId: job.id, ignoredFields: decision.ignored }
  })
  const shown =
    made.replayed || !job ? await render('jobs', made.jobId) : await showMade(job, template, sources, decision, context)
  return {
    status: 201,
    body: { job: made.jobId, ignored_fields: made.ignoredFields, ...launchedBody(shown) },
    headers: {
      Location: `/api/v2/jobs/${made.jobId}/`,
      ...(made.replayed ? { 'Idempotency-Replayed': 'true' } : {}),
    },
  }
}

/** The new job's wire form, out of what launching has read already: launches come in bursts. */
async function showMade(
  job: JobRow,
  template: TemplateRow,
  sources: LaunchSources,
  { credentials }: Accepted,
  context: RequestContext,
): Promise<Record<string, unknown>> {
  const { registry } = context
  const rows: [string, Row | null][] = [
    ['job_templates', template],
    ['projects', sources.project],
    ['inventory', sources.inventory],
    ['organizations', sources.organization],
    ['execution_environments', sources.executionEnvironment],
  ]
  for (const [resource, row] of rows) if (row) await rememberSummaries(registry.get(resource), [row], context)
  const attached = credentials.map(({ id, name, description, namespace, kind, passwordsNeeded: passwords }) => ({
    summary: { id, name, description, kind: namespace, cloud: kind === 'cloud' },
    passwords,
  }))
  rememberJobCredentials(job.id, attached, context)
  explainNothingYet(job.id, context)
  return await serializeOne(registry.get('jobs'), job, context)
}

/** What a prompt brings in must be usable by who launches; what the template has already need not (awx.md §6). */
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

/** The row of the job and what comes with it. */
function newJob(
  template: TemplateRow,
  rules: LaunchTemplate,
  sources: LaunchSources,
  { accepted, credentials, passwords }: Accepted,
  context: RequestContext,
) {
  const { shown, secret } = splitSecretAnswers(rules.survey, jobVariables(rules, accepted.extra_vars))
  const answers = openSurveyDefaults(template, secret, context)
  const asked = splitSecretAnswers(rules.survey, accepted.extra_vars ?? {}).shown
  const values = {
    type: 'job' as const,
    name: template.name,
    description: template.description,
    unifiedJobTemplateId: template.id,
    jobTemplateId: template.id,
    organizationId: template.organizationId,
    launchType: 'manual' as const,
    executionEnvironmentId: accepted.execution_environment ?? template.executionEnvironmentId,
    eligibleGroups: eligibleGroups(sources, template.preventInstanceGroupFallback, accepted.instance_groups),
    launchConfig: { ...accepted, ...(accepted.extra_vars ? { extra_vars: asked } : {}) },
    createdById: context.actor.id,
    jobType: accepted.job_type ?? template.jobType,
    inventoryId: accepted.inventory ?? template.inventoryId,
    projectId: template.projectId,
    playbook: template.playbook,
    scmBranch: accepted.scm_branch ?? template.scmBranch,
    forks: accepted.forks ?? template.forks,
    limit: accepted.limit ?? template.limit,
    verbosity: accepted.verbosity ?? template.verbosity,
    extraVars: pythonJson(shown),
    jobTags: accepted.job_tags ?? template.jobTags,
    forceHandlers: template.forceHandlers,
    skipTags: accepted.skip_tags ?? template.skipTags,
    startAtTask: template.startAtTask,
    timeout: accepted.timeout ?? template.timeout,
    useFactCache: template.useFactCache,
    becomeEnabled: template.becomeEnabled,
    diffMode: accepted.diff_mode ?? template.diffMode,
    allowSimultaneous: template.allowSimultaneous,
    jobSliceCount: Math.max(1, accepted.job_slice_count ?? template.jobSliceCount),
  }
  const more = {
    credentialIds: credentials.map(({ id }) => id),
    secrets: launchSecrets(passwords, answers),
    answers,
    keyring: context.deps.keyring,
  }
  return { values, more }
}

function openSurveyDefaults(
  template: TemplateRow,
  answers: Record<string, unknown>,
  context: RequestContext,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(answers).map(([name, value]) => [
      name,
      openSurveyDefault(context.deps.keyring, template.id, name, value),
    ]),
  )
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

async function showLaunch({ object: template, context }: ActionInput<TemplateRow>): Promise<ActionResult> {
  const sources = await loadSources(context.db, { ...template, jobTemplateId: template.id })
  const rules = launchTemplate(template, sources)
  const named = async (resource: string, id: number | null) => {
    if (id === null) return {}
    const summary = (await loadSummaries(context.registry.get(resource), [id], context)).get(id)
    return summary ? { name: summary.name, id: summary.id } : {}
  }
  const flags = Object.fromEntries(
    Object.entries(promptFlags).map(([field, flag]) => [flag, rules.asks[field as keyof typeof rules.asks]]),
  )
  const { inventory: _inventory, execution_environment: _environment, ...plain } = rules.plain
  return {
    status: 200,
    body: {
      can_start_without_user_input: canStartWithoutInput(rules),
      passwords_needed_to_start: passwordsNeeded(rules.credentials),
      ...flags,
      survey_enabled: template.surveyEnabled,
      variables_needed_to_start: variablesNeeded(rules.survey),
      credential_needed_to_start: false,
      inventory_needed_to_start: template.inventoryId === null,
      job_template_data: { name: template.name, id: template.id, description: template.description },
      defaults: {
        ...plain,
        inventory:
          template.inventoryId === null ? { name: null, id: null } : await named('inventory', template.inventoryId),
        extra_vars: template.extraVars,
        ...(rules.credentials.length > 0 ? { credentials: rules.credentials.map(defaultCredential) } : {}),
        execution_environment: await named('execution_environments', template.executionEnvironmentId),
        instance_groups: await Promise.all(sources.templateGroups.map((id) => named('instance_groups', id))),
      },
    },
  }
}

function defaultCredential(credential: LaunchTemplate['credentials'][number]): Record<string, unknown> {
  return {
    id: credential.id,
    name: credential.name,
    credential_type: credential.typeId,
    passwords_needed: credential.passwordsNeeded,
    ...(credentialPlace(credential).label.includes('(id=') ? { vault_id: credential.vaultId } : {}),
  }
}
