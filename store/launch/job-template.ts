import { eq } from 'drizzle-orm'
import { decideLaunch, type LaunchDecision, type LaunchTemplate, missingObjects } from '../../model/launch.ts'
import type { Prompts } from '../../model/prompts.ts'
import type { Database } from '../database.ts'
import type { JobRow } from '../job-status.ts'
import { jobTemplateCredentials } from '../schema/templates.ts'
import type { Keyring } from '../secrets.ts'
import { createJob } from './create-job.ts'
import { type Accepted, type LaunchOrigin, newJob } from './new-job.ts'
import { effectiveSlices, makeSlicedJob, type Slicing, tooFewHosts, wantedSlices } from './sliced-job.ts'
import {
  type LaunchSources,
  type LaunchStore,
  launchTemplate,
  loadObjects,
  loadSources,
  type TemplateRow,
} from './sources.ts'

/** A launch of a job template with everything that was read for it. */
export interface JobTemplateLaunch {
  template: TemplateRow
  rules: LaunchTemplate
  sources: LaunchSources
  decision: LaunchDecision
}

/**
 * Decides the launch of a job template, for whoever launches: the API, a node of a workflow, a schedule, a web hook. `unreadable` are complaints
 * about the prompts that were found before (readPrompts). Changes nothing.
 */
export async function decideJobTemplateLaunch(
  store: LaunchStore,
  template: TemplateRow,
  prompts: Prompts,
  passwords: Record<string, string> = {},
  unreadable: Record<string, string[]> = {},
): Promise<JobTemplateLaunch> {
  const found = await loadObjects(store, prompts)
  const inventoryId = template.askInventoryOnLaunch ? (prompts.inventory ?? template.inventoryId) : template.inventoryId
  const executionEnvironmentId = template.askExecutionEnvironmentOnLaunch
    ? (prompts.execution_environment ?? template.executionEnvironmentId)
    : template.executionEnvironmentId
  const sources = await loadSources(store, {
    ...template,
    jobTemplateId: template.id,
    inventoryId,
    executionEnvironmentId,
  })
  const rules = launchTemplate(template, sources)
  const errors = { ...missingObjects(prompts, found), ...unreadable }
  const decision: LaunchDecision =
    Object.keys(errors).length > 0 ? { ok: false, errors } : decideLaunch(rules, prompts, passwords, found)
  return { template, rules, sources, decision: await withSliceRule(store, template, decision) }
}

/**
 * As decideJobTemplateLaunch, of prompts from a saved place, which were right when they were saved. Their credentials join the template's own or take the place of one of the same type: a
 * launch, where the list that is sent counts, is told all of them. What the template objects to by now is dropped, as AWX does.
 */
export async function decideSavedLaunch(
  store: LaunchStore,
  template: TemplateRow,
  saved: Prompts,
  passwords: Record<string, string> = {},
): Promise<JobTemplateLaunch> {
  const prompts = await withOwnCredentials(store.db, template.id, saved)
  const launch = await decideJobTemplateLaunch(store, template, prompts, passwords)
  const acceptable = launch.decision.ok ? null : withoutRefused(prompts, launch.decision)
  return acceptable ? await decideJobTemplateLaunch(store, template, acceptable, passwords) : launch
}

async function withOwnCredentials(db: Database, templateId: number, prompts: Prompts): Promise<Prompts> {
  if (!prompts.credentials) return prompts
  const own = await db
    .select({ id: jobTemplateCredentials.credentialId })
    .from(jobTemplateCredentials)
    .where(eq(jobTemplateCredentials.jobTemplateId, templateId))
  return { ...prompts, credentials: [...new Set([...own.map(({ id }) => id), ...prompts.credentials])] }
}

/** The prompts without those that the template objects to; null when what it objects to is something else. */
function withoutRefused(prompts: Prompts, { errors }: Extract<LaunchDecision, { ok: false }>): Prompts | null {
  const refused = Object.keys(errors).filter((field) => field in prompts && field !== 'inventory')
  if (refused.length === 0) return null
  return Object.fromEntries(Object.entries(prompts).filter(([field]) => !refused.includes(field))) as Prompts
}

/** What the job of a launch is made with; of one that is refused, and whose job is made to show that it failed, nothing but what the template has. */
export function acceptedOrBare({ decision, rules }: JobTemplateLaunch): Accepted {
  if (decision.ok) return decision
  return { ok: true, accepted: {}, ignored: {}, credentials: rules.credentials, passwords: {} }
}

/** Slices that a launch asks for need hosts; those that the template has are cut down to them. */
async function withSliceRule(
  { db }: LaunchStore,
  template: TemplateRow,
  decision: LaunchDecision,
): Promise<LaunchDecision> {
  if (!decision.ok || (decision.accepted.job_slice_count ?? 0) <= 1) return decision
  if ((await effectiveSlices(db, template, decision.accepted)) > 1) return decision
  return { ok: false, errors: { job_slice_count: [tooFewHosts] } }
}

/** Whether `makeLaunchedJob` will write everything by one statement, which needs no transaction around it: no slices are cut, and nothing has to be sealed. */
export function isMadeByOneStatement(
  { template, rules }: JobTemplateLaunch,
  { accepted, passwords }: Accepted,
): boolean {
  const hasSecrets = Object.keys(passwords).length > 0 || rules.survey.some(({ type }) => type === 'password')
  return !hasSecrets && wantedSlices(template, accepted) === 1
}

/**
 * Makes the job of a launch that may be made, with everything that starts it, within the caller's transaction; a workflow job of slices where
 * there is more than one.
 */
export async function makeLaunchedJob(
  tx: Database,
  keyring: Keyring,
  { template, rules, sources }: JobTemplateLaunch,
  accepted: Accepted,
  origin: LaunchOrigin,
  slicing: Slicing = 'allowed',
): Promise<JobRow> {
  const job = newJob(template, rules, sources, accepted, { ...origin, keyring })
  const slices = slicing === 'allowed' ? await effectiveSlices(tx, template, accepted.accepted) : 1
  if (slices > 1) return await makeSlicedJob(tx, job, slices)
  const slice =
    typeof slicing === 'object'
      ? { jobSliceNumber: slicing.number, jobSliceCount: slicing.count, allowSimultaneous: true }
      : {}
  return await createJob(tx, { ...job.values, ...slice }, job.more)
}
