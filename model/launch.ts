import { encrypted } from './encrypted.ts'
import { chooseCredentials, type LaunchCredential, passwordsNeeded } from './launch-credentials.ts'
import { sameIds, sameValue, sortVariables } from './launch-variables.ts'
import { invalidId, type PlainPrompt, type PromptField, type Prompts, plainPrompts } from './prompts.ts'
import { type SurveyQuestion, surveyDefaults, variablesNeeded } from './survey.ts'
import { mergeVariables, storedVariables, type Variables } from './variables.ts'

/** A job template as far as launching looks at it. */
export interface LaunchTemplate {
  plain: Record<PlainPrompt, string | number | boolean | null>
  /** As the user wrote them. */
  extraVars: string
  asks: Record<PromptField, boolean>
  /** Questions of the survey; empty while it is not enabled. */
  survey: SurveyQuestion[]
  credentials: LaunchCredential[]
  instanceGroups: number[]
  labels: number[]
  /** A container job needs neither project nor inventory. */
  isContainer: boolean
  project: { status: string; scmBranch: string; allowOverride: boolean; updatesOnLaunch: boolean } | null
  inventoryBeingDeleted: boolean
}

/** What the ids of a launch body led to; what is missing from it does not exist. */
export interface LaunchObjects {
  inventory?: { id: number; beingDeleted: boolean }
  credentials: LaunchCredential[]
  executionEnvironment?: { id: number }
  instanceGroups: { id: number }[]
  labels: { id: number }[]
}

/** What becomes of a launch. */
export type LaunchDecision =
  | {
      ok: true
      /** May hold password answers; see `splitSecretAnswers`. */
      accepted: Prompts
      /** Sent but not prompted for: field → value (extra_vars: only the keys that were refused). */
      ignored: Record<string, unknown>
      credentials: LaunchCredential[]
      /** Only those that a credential of the job asks for. */
      passwords: Record<string, string>
    }
  | { ok: false; errors: Record<string, unknown> }

/** Ids in the body that name nothing: `{"inventory": ["Invalid pk …"]}`. */
export function missingObjects(prompts: Prompts, found: LaunchObjects): Record<string, string[]> {
  const errors: Record<string, string[]> = {}
  if (prompts.inventory !== undefined && !found.inventory) errors.inventory = [invalidId(prompts.inventory)]
  if (prompts.execution_environment !== undefined && !found.executionEnvironment) {
    errors.execution_environment = [invalidId(prompts.execution_environment)]
  }
  const lists = [
    ['credentials', prompts.credentials, found.credentials],
    ['instance_groups', prompts.instance_groups, found.instanceGroups],
    ['labels', prompts.labels, found.labels],
  ] as const
  for (const [field, ids, rows] of lists) {
    const missing = ids?.find((id) => !rows.some((row) => row.id === id))
    if (missing !== undefined) errors[field] = [invalidId(missing)]
  }
  return errors
}

/**
 * Decides a launch as AWX does: a value equal to the template's is no change, a prompted one is accepted, any other is
 * ignored and named. Everything that forbids the launch comes back at once.
 */
export function decideLaunch(
  template: LaunchTemplate,
  prompts: Prompts,
  passwords: Record<string, string>,
  found: LaunchObjects,
): LaunchDecision {
  const accepted: Prompts = {}
  const ignored: Record<string, unknown> = {}
  const errors: Record<string, unknown> = {}

  acceptVariables(template, prompts.extra_vars, accepted, ignored, errors)
  for (const field of plainPrompts) {
    const value = prompts[field]
    if (value === undefined || value === template.plain[field]) continue
    if (!template.asks[field]) ignored[field] = value
    else if (field === 'scm_branch' && !template.project) errors.scm_branch = ['Project is missing.']
    else if (field === 'scm_branch' && value !== template.project?.scmBranch && !template.project?.allowOverride) {
      errors.scm_branch = ['Project does not allow override of branch.']
    } else Object.assign(accepted, { [field]: value })
  }
  acceptLists(template, prompts, accepted, ignored)

  requireResources(template, accepted, found, errors)
  const { credentials, messages } = chooseCredentials(
    template.credentials,
    prompts.credentials,
    accepted.credentials,
    found.credentials,
  )
  if (messages.length > 0) errors.credentials = messages
  const needed = passwordsNeeded(credentials)
  const lacking = needed.filter((name) => !(name in passwords))
  if (lacking.length > 0) errors.passwords_needed_to_start = lacking

  if (Object.keys(errors).length > 0) return { ok: false, errors }
  const given = Object.fromEntries(needed.map((name) => [name, passwords[name] ?? '']))
  return { ok: true, accepted, ignored, credentials, passwords: given }
}

/** Whether `launch` with an empty body would do, as the launch view tells. */
export function canStartWithoutInput(template: LaunchTemplate): boolean {
  return (
    !Object.values(template.asks).includes(true) &&
    passwordsNeeded(template.credentials).length === 0 &&
    variablesNeeded(template.survey).length === 0 &&
    (template.isContainer || (template.project !== null && template.plain.inventory !== null))
  )
}

/** The job's extra_vars: template's, then survey defaults, then what the launch gave. */
export function jobVariables(
  template: Pick<LaunchTemplate, 'extraVars' | 'survey'>,
  launched: Variables = {},
): Variables {
  // A password answered with the placeholder means: the stored default.
  const given = Object.fromEntries(
    Object.entries(launched).filter(([name, value]) => value !== encrypted || !isPassword(template.survey, name)),
  )
  return mergeVariables(storedVariables(template.extraVars), surveyDefaults(template.survey), given)
}

/**
 * Splits what may be shown from answers to password questions, which are sealed; shown ones read `$encrypted$`. `hidden` names further variables to
 * treat so: what a workflow hides, its jobs hide too.
 */
export function splitSecretAnswers(
  survey: SurveyQuestion[],
  variables: Variables,
  hidden: readonly string[] = [],
): { shown: Variables; secret: Variables } {
  const shown: Variables = {}
  const secret: Variables = {}
  for (const [name, value] of Object.entries(variables)) {
    if (isPassword(survey, name) || hidden.includes(name)) {
      shown[name] = encrypted
      secret[name] = value
    } else shown[name] = value
  }
  return { shown, secret }
}

/**
 * Everything secret of a launch as one flat map, which is sealed into `launchSecrets`: passwords by AWX's names, answers to password
 * questions as `extra_vars.<variable>`.
 */
export function launchSecrets(passwords: Record<string, string>, answers: Variables): Record<string, string> {
  const secrets = { ...passwords }
  for (const [name, value] of Object.entries(answers)) secrets[`extra_vars.${name}`] = String(value)
  return secrets
}

/** A job's extra_vars for the play: what reads `$encrypted$` is filled in from the launch's secrets. */
export function restoreSecretAnswers(variables: Variables, secrets: Record<string, string>): Variables {
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [
      name,
      value === encrypted ? (secrets[`extra_vars.${name}`] ?? value) : value,
    ]),
  )
}

const isPassword = (survey: SurveyQuestion[], name: string) =>
  survey.some((question) => question.variable === name && question.type === 'password')

function acceptVariables(
  template: LaunchTemplate,
  given: Variables | undefined,
  accepted: Prompts,
  ignored: Record<string, unknown>,
  errors: Record<string, unknown>,
): void {
  const rules = { ...template, asksVariables: template.asks.extra_vars }
  const { taken, refused, surveyMessages } = sortVariables(rules, given)
  if (surveyMessages.length > 0) errors.variables_needed_to_start = surveyMessages
  if (Object.keys(taken).length > 0) accepted.extra_vars = taken
  if (Object.keys(refused).length > 0) ignored.extra_vars = refused
}

function acceptLists(
  template: LaunchTemplate,
  prompts: Prompts,
  accepted: Prompts,
  ignored: Record<string, unknown>,
): void {
  const own = new Set(template.credentials.map((credential) => credential.id))
  const added = prompts.credentials?.filter((id) => !own.has(id)) ?? []
  if (added.length > 0) {
    if (template.asks.credentials) accepted.credentials = added
    else ignored.credentials = added
  }
  for (const field of ['instance_groups', 'labels'] as const) {
    const value = prompts[field]
    if (value === undefined) continue
    // Groups are in an order, labels are not.
    const same = field === 'labels' ? sameIds(value, template.labels) : sameValue(value, template.instanceGroups)
    if (same) continue
    if (template.asks[field]) accepted[field] = value
    else ignored[field] = value
  }
}

function requireResources(
  template: LaunchTemplate,
  accepted: Prompts,
  found: LaunchObjects,
  errors: Record<string, unknown>,
): void {
  const missing: string[] = []
  if (template.isContainer) {
    // The image holds all it needs.
  } else if (!template.project) {
    missing.push('project')
    errors.project = ['A project is required to run a job.']
  } else if (['error', 'failed'].includes(template.project.status) && !template.project.updatesOnLaunch) {
    errors.playbook = ['Missing a revision to run due to failed project update.']
  }
  if (!template.isContainer && template.plain.inventory === null && accepted.inventory === undefined)
    missing.push('inventory')
  if (missing.length > 0) {
    errors.resources_needed_to_start = missing.map((name) => `Job Template ${name} is missing or undefined.`)
  }
  if (accepted.inventory !== undefined && found.inventory?.beingDeleted) {
    errors.inventory = ['The provided inventory is being deleted.']
  } else if (template.inventoryBeingDeleted) {
    errors.inventory = ['The inventory associated with this Job Template is being deleted.']
  }
}
