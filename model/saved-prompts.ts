import type { LaunchTemplate } from './launch.ts'
import { sortVariables } from './launch-variables.ts'
import { type PlainPrompt, type Prompts, plainPrompts } from './prompts.ts'
import type { Variables } from './variables.ts'
import { plainWorkflowPrompts, variablesNotPrompted, type WorkflowLaunchTemplate } from './workflow-launch.ts'

/** What prompts are saved for, as far as it decides which ones it takes. */
export type PromptTaker =
  | { kind: 'job_template'; rules: LaunchTemplate }
  | { kind: 'workflow_job_template'; rules: WorkflowLaunchTemplate }
  /** Projects and inventory sources take nothing, system job templates variables only. */
  | { kind: 'other'; takesVariables: boolean }

const notPrompted = 'Field is not configured to prompt on launch.'
const notAllowed = 'Field is not allowed on launch.'

/**
 * What is wrong with prompts that a node or schedule keeps for a later launch, by field, in AWX's words: other than at a launch nothing is silently
 * ignored. `answersRequired` is false where the launch itself may still bring answers to required questions.
 */
export function savedPromptErrors(
  taker: PromptTaker,
  prompts: Prompts,
  answersRequired: boolean,
): Record<string, string[]> {
  const errors: Record<string, string[]> = {}
  if (taker.kind === 'other') {
    for (const [field, value] of Object.entries(prompts)) {
      if (field === 'extra_vars' && (taker.takesVariables || Object.keys(value as Variables).length === 0)) continue
      errors[field === 'extra_vars' ? 'extra_data' : field] = [notAllowed]
    }
    return errors
  }
  const { rules } = taker
  const words = taker.kind === 'job_template' ? 'Job Template' : 'Workflow Job Template'
  const variables = { ...rules, asksVariables: rules.asks.extra_vars }
  const { refused, surveyMessages } = sortVariables(variables, prompts.extra_vars, answersRequired)
  if (surveyMessages.length > 0) errors.variables_needed_to_start = surveyMessages
  const unknown = Object.keys(refused).filter((name) => !rules.survey.some(({ variable }) => variable === name))
  if (unknown.length > 0) errors.extra_data = [variablesNotPrompted(unknown, words)]

  const own = rules.plain as Partial<Record<PlainPrompt, unknown>>
  const asks = rules.asks as Partial<Record<PlainPrompt, boolean>>
  const fields: readonly PlainPrompt[] = taker.kind === 'job_template' ? plainPrompts : plainWorkflowPrompts
  for (const field of fields) {
    const value = prompts[field]
    if (value === undefined || value === own[field]) continue
    if (!asks[field]) errors[field] = [notPrompted]
    else if (field === 'scm_branch' && taker.kind === 'job_template')
      Object.assign(errors, branchErrors(taker.rules, value))
  }
  return errors
}

function branchErrors({ project }: LaunchTemplate, branch: unknown): Record<string, string[]> {
  if (!project) return { scm_branch: ['Project is missing.'] }
  if (branch === project.scmBranch || project.allowOverride) return {}
  return { scm_branch: ['Project does not allow override of branch.'] }
}
