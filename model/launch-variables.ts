import { type SurveyQuestion, surveyErrors } from './survey.ts'
import { isMapping, storedVariables, type Variables } from './variables.ts'

/** What decides which variables a launch may bring. */
export interface VariableRules {
  /** The template's own, as the user wrote them. */
  extraVars: string
  asksVariables: boolean
  /** Questions of the survey; empty while it is not enabled. */
  survey: SurveyQuestion[]
}

/** A launch's variables, sorted into what is taken and what is not. */
export interface SortedVariables {
  taken: Variables
  refused: Variables
  /** What the survey says against the answers; empty when all is well. */
  surveyMessages: string[]
}

/**
 * Sorts the variables of a launch: answers to the survey, variables that the template asks for, and those equal to the template's own, which
 * change nothing. `answersRequired` is false for prompts that are saved for later: what is missing may come then.
 */
export function sortVariables(rules: VariableRules, given: Variables = {}, answersRequired = true): SortedVariables {
  const left = { ...given }
  const taken: Variables = {}
  const refused: Variables = {}
  const questions = answersRequired
    ? rules.survey
    : rules.survey.filter(({ variable }) => Object.hasOwn(given, variable))
  const messages = surveyErrors(questions, left)
  for (const { variable } of rules.survey) {
    if (!Object.hasOwn(left, variable)) continue
    ;(messages.has(variable) ? refused : taken)[variable] = left[variable]
    delete left[variable]
  }
  const own = rules.asksVariables ? {} : storedVariables(rules.extraVars)
  for (const [name, value] of Object.entries(left)) {
    if (rules.asksVariables) taken[name] = value
    else if (!Object.hasOwn(own, name) || !sameValue(own[name], value)) refused[name] = value
  }
  return { taken, refused, surveyMessages: [...messages.values()].flat() }
}

/** Equality of JSON values; the order of keys does not matter. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameValue(item, b[index]))
  }
  if (!isMapping(a) || !isMapping(b)) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every((key) => Object.hasOwn(b, key) && sameValue(a[key], b[key]))
}

/** Whether two lists hold the same ids, in whatever order. */
export function sameIds(a: readonly number[], b: readonly number[]): boolean {
  const ids = new Set(a)
  return ids.size === new Set(b).size && b.every((id) => ids.has(id))
}
