import { eq } from 'drizzle-orm'
import { encrypted } from '../../model/encrypted.ts'
import { credentialPlace } from '../../model/launch-credentials.ts'
import type { Prompts } from '../../model/prompts.ts'
import { savedPromptErrors } from '../../model/saved-prompts.ts'
import type { SurveyQuestion } from '../../model/survey.ts'
import { parseVariables, type Variables } from '../../model/variables.ts'
import { openAnswers, sealAnswers } from '../../store/launch/saved-answers.ts'
import { loadPromptRules, type PromptTarget } from '../../store/launch/saved-prompts.ts'
import { loadCredentials } from '../../store/launch/sources.ts'
import { isSealed, reservedBeginning } from '../../store/secrets.ts'
import { unifiedJobTemplates } from '../../store/unified-templates.ts'
import type { RequestContext, Row } from '../context.ts'
import { ApiError, ValidationError } from '../errors.ts'
import type { WriteCheck } from '../resource.ts'
import { promptFields } from '../workflows/node-fields.ts'

/** What keeps prompts for a later launch: a node of a workflow, or a schedule. */
export interface PromptKeeper {
  unifiedJobTemplateId: number | null
  extraData: Variables
}

const promptNames = Object.keys(promptFields)

/**
 * Rules of saved prompts: what their template does not take is refused now, not when it runs. `answersRequired` where the launch itself brings no answers to
 * required questions. Leaves in `input` what is to be stored, secrets still in clear. Returns the template; null where there is none.
 */
export async function checkSavedPrompts(
  check: WriteCheck<PromptKeeper>,
  answersRequired: boolean,
): Promise<PromptTarget | null> {
  const { input, context, before } = check
  if ('extra_data' in input) input.extra_data = readVariables(input.extra_data)
  if (input.job_type === '') input.job_type = null
  const target = await findTarget(check)
  if (!target) {
    // Without a template there is nothing that could take prompts; AWX drops them.
    for (const name of promptNames) delete input[name]
    return null
  }
  const store = { db: context.db, keyring: context.deps.keyring }
  const rules = await loadPromptRules(store, target)
  if (!rules) return target
  const { kept, stands } = keptSecrets(target, before)
  if ('extra_data' in input) input.extra_data = withKept(input.extra_data as Variables, rules.survey, kept)
  if (!promptNames.some((name) => name in input)) return target
  const merged = { ...check.merged, ...input }
  const variables = (merged.extra_data ?? {}) as Variables
  const readable = stands ? openAnswers(store.keyring, target.id, variables) : withoutSealed(variables)
  const prompts = promptsOf({ ...merged, extra_data: readable })
  const errors = savedPromptErrors(rules.taker, prompts, answersRequired)
  if (Object.keys(errors).length > 0) throw new ValidationError(errors)
  return target
}

/** Column values with answers to password questions sealed. */
export async function sealSavedPrompts(
  values: Record<string, unknown>,
  check: WriteCheck<PromptKeeper>,
): Promise<Record<string, unknown>> {
  const { before, context, input } = check
  const target = await findTarget(check)
  if (!target) return values
  if (!('extra_data' in input)) {
    // Answers to another template's questions open nowhere else.
    const { stands } = keptSecrets(target, before)
    return stands || !before ? values : { ...values, extraData: withoutSealed(before.extraData) }
  }
  const rules = await loadPromptRules({ db: context.db, keyring: context.deps.keyring }, target)
  const passwords = (rules?.survey ?? []).filter(({ type }) => type === 'password').map(({ variable }) => variable)
  const extraData = sealAnswers(context.deps.keyring, target.id, passwords, input.extra_data as Variables)
  return { ...values, extraData }
}

/**
 * Refuses a credential that whoever keeps prompts may not give to its jobs: only what the template asks for, nothing that needs a password, one of each type;
 * the texts are AWX's. `attached` are those that it gives already.
 */
export async function checkSavedCredential(
  target: PromptTarget | null,
  credential: Row,
  attached: readonly number[],
  context: RequestContext,
): Promise<void> {
  const refuse = (msg: string): never => {
    throw new ApiError(400, { msg })
  }
  if (!target) return refuse('Cannot assign credential when related template is null.')
  const store = { db: context.db, keyring: context.deps.keyring }
  const taker = (await loadPromptRules(store, target))?.taker
  if (taker?.kind !== 'job_template') return refuse('Related template cannot accept credentials on launch.')
  const present = attached.filter((id) => id !== credential.id)
  const loaded = await loadCredentials(store, [credential.id, ...present])
  const candidate = loaded.find((one) => one.id === credential.id)
  if (!candidate) return
  if (candidate.passwordsNeeded.length > 0) {
    refuse('Credential that requires user input on launch cannot be used in saved launch configuration.')
  }
  if (!taker.rules.asks.credentials) refuse('Related template is not configured to accept credentials on launch.')
  const { key, label } = credentialPlace(candidate)
  if (loaded.some((one) => one !== candidate && credentialPlace(one).key === key)) {
    refuse(`This launch configuration already provides a ${label} credential.`)
  }
  if (taker.rules.credentials.some((one) => one.id === candidate.id)) {
    refuse(`Related template already uses ${candidate.name} credential.`)
  }
}

/** The template that the row points to, or will. */
export async function findTarget({ merged, context }: WriteCheck<PromptKeeper>): Promise<PromptTarget | null> {
  const id = merged.unified_job_template
  return typeof id === 'number' ? await targetOf(id, context) : null
}

/** A template by its id, with its kind. */
export async function targetOf(id: number, { db }: RequestContext): Promise<PromptTarget | null> {
  const [row] = await db
    .select({ type: unifiedJobTemplates.type })
    .from(unifiedJobTemplates)
    .where(eq(unifiedJobTemplates.id, id))
  return row ? { id, type: row.type } : null
}

function readVariables(given: unknown): Variables {
  const parsed = parseVariables(given)
  if (!parsed.ok) throw ValidationError.on('extra_data', parsed.message)
  for (const [name, value] of Object.entries(parsed.value)) {
    if (isSealed(value)) throw ValidationError.on('extra_data', `${name}: ${reservedBeginning}`)
  }
  return parsed.value
}

/** Sealed answers that are there already; they stand while the template stays the same. */
function keptSecrets(target: PromptTarget, before: PromptKeeper | undefined): { kept: Variables; stands: boolean } {
  const stands = before?.unifiedJobTemplateId === target.id
  return { kept: stands ? before.extraData : {}, stands: stands || before === undefined }
}

/** `$encrypted$` stands for the answer that is stored, or for the question's default. */
function withKept(given: Variables, survey: readonly SurveyQuestion[], kept: Variables): Variables {
  const result: Variables = {}
  for (const [name, value] of Object.entries(given)) {
    if (value !== encrypted) {
      result[name] = value
      continue
    }
    const question = survey.find(({ variable, type }) => variable === name && type === 'password')
    if (!question) {
      throw ValidationError.on('extra_data', `"$encrypted$ is a reserved keyword, may not be used for ${name}."`)
    }
    if (isSealed(kept[name])) result[name] = kept[name]
    else if (!question.default) {
      throw ValidationError.on('extra_data', `Provided variable ${name} has no database value to replace with.`)
    }
  }
  return result
}

function withoutSealed(variables: Variables): Variables {
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => !isSealed(value)))
}

/** What the row says, by the names of a launch. */
function promptsOf(wire: Record<string, unknown>): Prompts {
  const entries = promptNames
    .filter((name) => name !== 'extra_data' && wire[name] !== null && wire[name] !== undefined)
    .map((name) => [name, wire[name]])
  return { ...Object.fromEntries(entries), extra_vars: wire.extra_data }
}
