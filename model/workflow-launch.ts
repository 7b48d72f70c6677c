import type { LaunchObjects } from './launch.ts'
import { sameIds, sortVariables } from './launch-variables.ts'
import { type Prompts, promptFlags } from './prompts.ts'
import { type SurveyQuestion, surveyDefaults } from './survey.ts'
import { mergeVariables, storedVariables, type Variables } from './variables.ts'

/** Prompts of a workflow job template, in the order of AWX's launch view; `priority` is ours. */
export const workflowPrompts = [
  'inventory',
  'limit',
  'scm_branch',
  'extra_vars',
  'labels',
  'skip_tags',
  'job_tags',
  'priority',
] as const satisfies readonly (keyof Prompts)[]
/** Wire name of one of them. */
export type WorkflowPrompt = (typeof workflowPrompts)[number]

/** Wire name of a workflow's prompt → the flag that lets a launch change it. */
export const workflowPromptFlags = Object.fromEntries(
  workflowPrompts.map((field) => [field, promptFlags[field]]),
) as Record<WorkflowPrompt, string>

/** Those whose value is a plain column. */
export const plainWorkflowPrompts = [
  'inventory',
  'limit',
  'scm_branch',
  'skip_tags',
  'job_tags',
  'priority',
] as const satisfies readonly WorkflowPrompt[]

/** A node that runs first of all, so that nothing but the launch can give it what it lacks. */
export interface RootNode {
  identifier: string
  templateName: string
  survey: SurveyQuestion[]
  /** What the node and its template say already. */
  variables: Variables
}

/** A workflow job template as far as launching looks at it. */
export interface WorkflowLaunchTemplate {
  plain: Record<(typeof plainWorkflowPrompts)[number], string | number | null>
  extraVars: string
  asks: Record<WorkflowPrompt, boolean>
  /** Questions of the survey; empty while it is not enabled. */
  survey: SurveyQuestion[]
  labels: number[]
  inventoryBeingDeleted: boolean
  /** Those of its root nodes that have a survey. */
  roots: RootNode[]
}

/** What becomes of the launch of a workflow. */
export type WorkflowLaunchDecision =
  | {
      ok: true
      /** May hold password answers; see `splitSecretAnswers`. */
      accepted: Prompts
      /** Sent but not prompted for; only where the caller lets that pass. */
      ignored: Record<string, unknown>
    }
  | { ok: false; errors: Record<string, unknown> }

const notPrompted = 'Field is not configured to prompt on launch.'

/** How a launch differs from that of a user. */
export interface WorkflowLaunchOptions {
  /** What becomes of values that are not prompted for: a user's are refused; of those of a node AWX drops them. Default: refuse. */
  unprompted?: 'refuse' | 'ignore'
  /** Variables that come in whatever the template prompts for, and win: artifacts of nodes before, what a web hook delivered. */
  forced?: Variables
}

/** Decides the launch of a workflow as AWX does. Other than of a job template, what is sent and not prompted for is refused. */
export function decideWorkflowLaunch(
  template: WorkflowLaunchTemplate,
  prompts: Prompts,
  found: LaunchObjects,
  { unprompted = 'refuse', forced = {} }: WorkflowLaunchOptions = {},
): WorkflowLaunchDecision {
  const accepted: Prompts = {}
  const ignored: Record<string, unknown> = {}
  const errors: Record<string, unknown> = {}

  const rules = { ...template, asksVariables: template.asks.extra_vars }
  const answers = Object.fromEntries(Object.entries(forced).filter(([name]) => isAnswer(template, name)))
  const { taken, refused, surveyMessages } = sortVariables(rules, { ...prompts.extra_vars, ...answers })
  const variables = { ...taken, ...forced }
  if (Object.keys(variables).length > 0) accepted.extra_vars = variables
  if (surveyMessages.length > 0) errors.variables_needed_to_start = surveyMessages
  const unknown = Object.keys(refused).filter((name) => !isAnswer(template, name))
  if (Object.keys(refused).length > 0) ignored.extra_vars = refused
  if (unknown.length > 0 && unprompted === 'refuse') errors.extra_vars = [variablesNotPrompted(unknown)]

  for (const field of [...plainWorkflowPrompts, 'labels' as const]) {
    const value = prompts[field]
    if (value === undefined) continue
    const same = Array.isArray(value) ? sameIds(value, template.labels) : value === ownValue(template, field)
    if (same) continue
    if (template.asks[field]) Object.assign(accepted, { [field]: value })
    else {
      ignored[field] = value
      if (unprompted === 'refuse') errors[field] = [notPrompted]
    }
  }

  if (template.inventoryBeingDeleted) {
    errors.inventory = ['The inventory associated with this Workflow is being deleted.']
  } else if (accepted.inventory !== undefined && found.inventory?.beingDeleted) {
    errors.inventory = ['The provided inventory is being deleted.']
  }
  const own = mergeVariables(storedVariables(template.extraVars), surveyDefaults(template.survey))
  const lacking = missingAnswers(template, { ...own, ...accepted.extra_vars })
  if (lacking.length > 0 && !errors.variables_needed_to_start) errors.variables_needed_to_start = lacking
  return Object.keys(errors).length > 0 ? { ok: false, errors } : { ok: true, accepted, ignored }
}

/** What AWX says of variables that a workflow does not ask for. */
export function variablesNotPrompted(names: readonly string[], template = 'Workflow Job Template'): string {
  return `Variables ${names.join(', ')} are not allowed on launch. Check the Prompt on Launch setting on the ${template} to include Extra Variables.`
}

/**
 * Required answers that root nodes are certain to lack: neither node nor workflow gives them, and there is no default. Nodes further down may
 * still get theirs from artifacts.
 */
function missingAnswers({ roots }: WorkflowLaunchTemplate, variables: Variables): string[] {
  return roots.flatMap(({ identifier, templateName, survey, variables: own }) =>
    survey
      .filter(
        ({ required, variable, default: standard }) =>
          required &&
          (standard === undefined || standard === null || standard === '') &&
          !Object.hasOwn(own, variable) &&
          !Object.hasOwn(variables, variable),
      )
      .map(({ variable }) => `'${variable}' value missing for node ${identifier} (${templateName})`),
  )
}

const isAnswer = ({ survey }: WorkflowLaunchTemplate, name: string) => survey.some(({ variable }) => variable === name)

function ownValue(template: WorkflowLaunchTemplate, field: WorkflowPrompt): unknown {
  return (template.plain as Record<string, unknown>)[field]
}
