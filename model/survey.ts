import { encrypted } from './encrypted.ts'
import { isMapping, pythonText, pythonTypeName, type Variables } from './variables.ts'

/** One question of a survey; keys as on the wire. */
export interface SurveyQuestion {
  type: 'text' | 'textarea' | 'password' | 'integer' | 'float' | 'multiplechoice' | 'multiselect'
  question_name: string
  variable: string
  required: boolean
  question_description?: string
  default?: unknown
  min?: number | string | null
  max?: number | string | null
  choices?: string | unknown[]
}

const questionTypes = ['text', 'textarea', 'password', 'integer', 'float', 'multiplechoice', 'multiselect']

/** The questions of a stored survey_spec; empty for `{}`. */
export function surveyQuestions(spec: Variables): SurveyQuestion[] {
  return Array.isArray(spec.spec) ? (spec.spec as SurveyQuestion[]) : []
}

/** What is wrong with a survey_spec that a client posts, as the text of `{"error": …}`; null when it may be stored. */
export function surveySpecError(body: Variables): string | null {
  if (!('spec' in body)) return "Field 'spec' is missing from survey spec."
  const spec = body.spec
  if (!Array.isArray(spec)) return `Expected list of items for field 'spec', received ${pythonTypeName(spec)} type.`
  if (spec.length === 0) return "'spec' doesn't contain any items."
  for (const key of ['name', 'description']) {
    if (!(key in body)) return `Field '${key}' is missing from survey spec.`
    if (typeof body[key] !== 'string') {
      return `Expected string for field '${key}', received ${pythonTypeName(body[key])} type.`
    }
  }
  const variables = new Set<string>()
  for (const [index, question] of spec.entries()) {
    const error = questionError(question, index, variables)
    if (error) return error
  }
  return null
}

/** Variables that must be given, whether they have a default or not: `variables_needed_to_start` of a template. */
export function variablesNeeded(questions: SurveyQuestion[]): string[] {
  return questions.filter((question) => question.required).map((question) => question.variable)
}

/** Checks answers against their questions; the messages are those of `variables_needed_to_start` at launch. */
export function surveyErrors(questions: SurveyQuestion[], answers: Variables): Map<string, string[]> {
  const errors = new Map<string, string[]>()
  for (const question of questions) {
    const messages = answerErrors(question, answers)
    if (messages.length > 0) errors.set(question.variable, messages)
  }
  return errors
}

/** Defaults that satisfy their own question; the others do not take part, as in AWX. */
export function surveyDefaults(questions: SurveyQuestion[]): Variables {
  const defaults: Variables = {}
  for (const question of questions) {
    if (question.default === undefined || question.default === null) continue
    const isPassword = question.type === 'password'
    if (isPassword && question.default === '') continue
    if (isPassword || answerErrors(question, { [question.variable]: question.default }).length === 0) {
      defaults[question.variable] = question.default
    }
  }
  return defaults
}

function answerErrors(question: SurveyQuestion, answers: Variables): string[] {
  const name = question.variable
  const given = Object.hasOwn(answers, name)
  const value = answers[name]
  if (question.type === 'password' && value === encrypted) {
    const hasDefault = question.default !== undefined && question.default !== null
    return question.required && !hasDefault ? [`'${name}' value missing`] : []
  }
  if (!given) return question.required ? [`'${name}' value missing`] : []
  switch (question.type) {
    case 'text':
    case 'textarea':
    case 'password':
      return textErrors(question, value)
    case 'integer':
      if (typeof value !== 'number' || !Number.isInteger(value)) {
        return [`Value ${pythonText(value)} for '${name}' expected to be an integer.`]
      }
      return rangeErrors(question, value)
    case 'float':
      if (typeof value !== 'number') return [`Value ${pythonText(value)} for '${name}' expected to be a numeric type.`]
      return rangeErrors(question, value)
    case 'multiselect':
      if (!Array.isArray(value)) return [`'${name}' value is expected to be a list.`]
      return value.flatMap((item) => choiceErrors(question, item))
    case 'multiplechoice':
      return choiceErrors(question, value)
  }
}

function textErrors(question: SurveyQuestion, value: unknown): string[] {
  if (typeof value !== 'string')
    return [`Value ${pythonText(value)} for '${question.variable}' expected to be a string.`]
  // Passwords are never repeated in a message.
  const shown = question.type === 'password' ? encrypted : value
  const length = [...value].length
  const { min, max } = bounds(question)
  if (min !== null && length < min) {
    return [`'${question.variable}' value ${shown} is too small (length is ${length} must be at least ${min}).`]
  }
  if (max !== null && length > max) {
    return [`'${question.variable}' value ${shown} is too large (must be no more than ${max}).`]
  }
  return []
}

function rangeErrors(question: SurveyQuestion, value: number): string[] {
  const { min, max } = bounds(question)
  if (min !== null && value < min)
    return [`'${question.variable}' value ${value} is too small (must be at least ${min}).`]
  if (max !== null && value > max)
    return [`'${question.variable}' value ${value} is too large (must be no more than ${max}).`]
  return []
}

function choiceErrors(question: SurveyQuestion, value: unknown): string[] {
  const choices = choicesOf(question)
  if (choices.includes(value)) return []
  return [`Value ${pythonText(value)} for '${question.variable}' expected to be one of ${pythonText(choices)}.`]
}

/** Choices come as a list or as lines of text. */
function choicesOf(question: SurveyQuestion): unknown[] {
  if (Array.isArray(question.choices)) return question.choices
  if (typeof question.choices !== 'string') return []
  return question.choices.split(/\r?\n/).filter((choice) => choice.trim() !== '')
}

function bounds(question: SurveyQuestion): { min: number | null; max: number | null } {
  const read = (bound: unknown) => {
    if (typeof bound !== 'number' && typeof bound !== 'string') return null
    return bound === '' || Number.isNaN(Number(bound)) ? null : Number(bound)
  }
  return { min: read(question.min), max: read(question.max) }
}

function questionError(question: unknown, index: number, variables: Set<string>): string | null {
  if (!isMapping(question)) return `Survey question ${index} is not a json object.`
  for (const key of ['question_name', 'type', 'variable', 'required']) {
    if (!(key in question)) return `'${key}' missing from survey question ${index}`
  }
  for (const key of ['question_name', 'type', 'variable']) {
    if (typeof question[key] !== 'string') return `'${key}' in survey question ${index} expected to be str type.`
  }
  if (typeof question.required !== 'boolean') return `'required' in survey question ${index} expected to be bool type.`
  if (!questionTypes.includes(String(question.type))) {
    return `'${question.type}' in survey question ${index} is not one of '${questionTypes.join(', ')}' allowed question types.`
  }
  const variable = String(question.variable)
  if (variables.has(variable)) return `'variable' '${variable}' duplicated in survey question ${index}.`
  variables.add(variable)
  const { default: standard } = question
  if (question.type === 'password' && standard !== undefined && standard !== null && typeof standard !== 'string') {
    return `'default' in survey question ${index} expected to be str type.`
  }
  if (question.type !== 'password' && standard === encrypted) {
    return `${encrypted} is a reserved keyword for password question defaults, survey question ${index} is type ${question.type} instead.`
  }
  const isChoice = question.type === 'multiplechoice' || question.type === 'multiselect'
  if (isChoice && choicesOf(question as unknown as SurveyQuestion).length === 0) {
    return `Survey question ${index} of type ${question.type} must specify choices.`
  }
  return null
}
