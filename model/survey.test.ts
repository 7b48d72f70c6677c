import { expect, test } from 'vitest'
import { type SurveyQuestion, surveyDefaults, surveyErrors, surveySpecError, variablesNeeded } from './survey.ts'

const question = (variable: string, more: Partial<SurveyQuestion>): SurveyQuestion => ({
  type: 'text',
  question_name: `Q ${variable}`,
  variable,
  required: false,
  ...more,
})
/** The survey that AWX 24.6.1 was recorded with. */
const questions = [
  question('s_text', { required: true, min: 2, max: 5, default: '' }),
  question('s_area', { type: 'textarea', default: 'x' }),
  question('s_pw', { type: 'password', default: '$encrypted$' }),
  question('s_int', { type: 'integer', min: 1, max: 9, default: 3 }),
  question('s_float', { type: 'float', default: 1.5 }),
  question('s_mc', { type: 'multiplechoice', choices: ['a', 'b'], default: 'a' }),
  question('s_ms', { type: 'multiselect', choices: 'a\nb\nc' }),
]

test.each<[Record<string, unknown>, string[]]>([
  [{}, ["'s_text' value missing"]],
  [{ s_text: 'x' }, ["'s_text' value x is too small (length is 1 must be at least 2)."]],
  [{ s_text: 'toolong' }, ["'s_text' value toolong is too large (must be no more than 5)."]],
  [{ s_text: 'abc', s_int: 99 }, ["'s_int' value 99 is too large (must be no more than 9)."]],
  [{ s_text: 'abc', s_int: 0 }, ["'s_int' value 0 is too small (must be at least 1)."]],
  [{ s_text: 'abc', s_int: 'x' }, ["Value x for 's_int' expected to be an integer."]],
  [{ s_text: 'abc', s_float: 'x' }, ["Value x for 's_float' expected to be a numeric type."]],
  [{ s_text: 'abc', s_mc: 'zz' }, ["Value zz for 's_mc' expected to be one of ['a', 'b']."]],
  [{ s_text: 'abc', s_ms: ['a', 'q'] }, ["Value q for 's_ms' expected to be one of ['a', 'b', 'c']."]],
  [{ s_text: 'abc', s_ms: 'a' }, ["'s_ms' value is expected to be a list."]],
  [{ s_text: 5 }, ["Value 5 for 's_text' expected to be a string."]],
  [{ s_text: 'abc', s_pw: '$encrypted$' }, []],
  [{ s_text: 'abc', s_int: 3, s_mc: 'b', s_ms: ['c'] }, []],
])('answers %j', (answers, messages) => {
  expect([...surveyErrors(questions, answers).values()].flat()).toEqual(messages)
})

test('a bound that is no number is none', () => {
  const bound = { toString: 1 } as unknown as number
  expect([...surveyErrors([question('n', { type: 'integer', min: bound })], { n: 1 }).values()]).toEqual([])
})

test('a password is never repeated in a message', () => {
  const errors = surveyErrors([question('pw', { type: 'password', min: 30 })], { pw: 'hunter2-secret' })
  expect([...errors.values()].flat().join()).not.toContain('hunter2')
})

test('defaults that fit take part, in the order of the questions', () => {
  expect(surveyDefaults(questions)).toEqual({ s_area: 'x', s_pw: '$encrypted$', s_int: 3, s_float: 1.5, s_mc: 'a' })
  expect(surveyDefaults([question('n', { type: 'integer', max: 3, default: 7 })])).toEqual({})
})

test('required variables are needed', () => {
  expect(variablesNeeded(questions)).toEqual(['s_text'])
})

test.each<[Record<string, unknown>, string | null]>([
  [{ name: '', description: '', spec: [{ type: 'text' }] }, "'question_name' missing from survey question 0"],
  [{ spec: [] }, "'spec' doesn't contain any items."],
  [{ name: '', description: '', spec: 'x' }, "Expected list of items for field 'spec', received str type."],
  [{ name: '', description: '', spec: [] }, "'spec' doesn't contain any items."],
  [{ name: '', description: '' }, "Field 'spec' is missing from survey spec."],
  [{ name: '', description: '', spec: questions }, null],
  [
    { name: '', description: '', spec: [questions[0], questions[0]] },
    "'variable' 's_text' duplicated in survey question 1.",
  ],
  [
    { name: '', description: '', spec: [{ ...questions[2], default: 5 }] },
    "'default' in survey question 0 expected to be str type.",
  ],
  [
    { name: '', description: '', spec: [{ ...questions[0], default: '$encrypted$' }] },
    '$encrypted$ is a reserved keyword for password question defaults, survey question 0 is type text instead.',
  ],
  [
    { name: '', description: '', spec: [{ ...questions[5], choices: { split: 1 } }] },
    'Survey question 0 of type multiplechoice must specify choices.',
  ],
])('spec %#', (spec, error) => {
  expect(surveySpecError(spec)).toBe(error)
})
