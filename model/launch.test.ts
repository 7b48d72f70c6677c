import { describe, expect, test } from 'vitest'
import {
  canStartWithoutInput,
  decideLaunch,
  jobVariables,
  type LaunchObjects,
  type LaunchTemplate,
  launchSecrets,
  missingObjects,
  restoreSecretAnswers,
  splitSecretAnswers,
} from './launch.ts'
import type { LaunchCredential } from './launch-credentials.ts'
import { type PromptField, promptFlags, readPrompts } from './prompts.ts'
import type { SurveyQuestion } from './survey.ts'

const credential = (id: number, more: Partial<LaunchCredential> = {}): LaunchCredential => ({
  id,
  name: `cred-${id}`,
  description: '',
  namespace: null,
  typeId: 1,
  typeName: 'Machine',
  kind: 'ssh',
  passwordsNeeded: [],
  vaultId: '',
  ...more,
})
const machine = credential(7, { name: 'rec-machine' })
const asking = credential(8, { passwordsNeeded: ['ssh_password', 'become_password'] })
const vault = credential(11, {
  typeId: 3,
  typeName: 'Vault',
  kind: 'vault',
  vaultId: 'v2',
  passwordsNeeded: ['vault_password.v2'],
})
const scm = credential(12, { typeId: 2, typeName: 'Source Control', kind: 'scm' })
const found: LaunchObjects = {
  credentials: [machine, asking, vault, scm, credential(9, { name: 'other' })],
  instanceGroups: [{ id: 5 }],
  labels: [{ id: 6 }],
  inventory: { id: 4, beingDeleted: false },
}

const asks = (value: boolean, only?: PromptField[]) =>
  Object.fromEntries(
    Object.keys(promptFlags).map((field) => [field, only ? only.includes(field as PromptField) : value]),
  ) as Record<PromptField, boolean>

const template = (more: Partial<LaunchTemplate> = {}): LaunchTemplate => ({
  isContainer: false,
  plain: {
    scm_branch: '',
    job_tags: '',
    diff_mode: false,
    skip_tags: '',
    job_type: 'run',
    limit: 'h1',
    verbosity: 0,
    inventory: 3,
    execution_environment: null,
    forks: 0,
    job_slice_count: 1,
    timeout: 0,
    priority: 3,
  },
  extraVars: 'x: 1',
  asks: asks(false),
  survey: [],
  credentials: [],
  instanceGroups: [],
  labels: [],
  project: { status: 'successful', scmBranch: '', allowOverride: false, updatesOnLaunch: false },
  inventoryBeingDeleted: false,
  ...more,
})

/** Reads and decides as the launch route does, all ids known. */
function launch(changes: Partial<LaunchTemplate>, body: Record<string, unknown>) {
  const { prompts, passwords, errors } = readPrompts(body)
  expect(errors).toEqual({})
  return decideLaunch(template(changes), prompts, passwords, found)
}

describe('reading a body', () => {
  test.each<[Record<string, unknown>, Record<string, string[]>]>([
    [{ job_type: 'zz' }, { job_type: ['"zz" is not a valid choice.'] }],
    [{ verbosity: 9 }, { verbosity: ['"9" is not a valid choice.'] }],
    [{ priority: 0 }, { priority: ['Ensure this value is greater than or equal to 1.'] }],
    [{ priority: 6 }, { priority: ['Ensure this value is less than or equal to 5.'] }],
    [{ priority: 'high' }, { priority: ['A valid integer is required.'] }],
    [{ forks: -1 }, { forks: ['Ensure this value is greater than or equal to 0.'] }],
    [{ timeout: 'abc' }, { timeout: ['A valid integer is required.'] }],
    [{ diff_mode: 'x' }, { diff_mode: ['Must be a valid boolean.'] }],
    [{ inventory: 'abc' }, { inventory: ['Incorrect type. Expected pk value, received str.'] }],
    [{ credentials: 'x' }, { credentials: ['Expected a list of items but got type "str".'] }],
    [{ instance_groups: 'x' }, { instance_groups: ['Expected a list of items but got type "str".'] }],
    [{ limit: ['a'] }, { limit: ['Not a valid string.'] }],
    [{ limit: null, verbosity: '3', diff_mode: 'yes', bogus: 1 }, {}],
  ])('%j', (body, errors) => {
    expect(readPrompts(body).errors).toEqual(errors)
  })

  test('types what it reads; old names of inventory and passwords count', () => {
    expect(
      readPrompts({
        inventory_id: '4',
        verbosity: '3',
        extra_vars: 'a: 1',
        ssh_password: 'x',
        'vault_password.v2': 'y',
      }),
    ).toEqual({
      prompts: { inventory: 4, verbosity: 3, extra_vars: { a: 1 } },
      passwords: { ssh_password: 'x', 'vault_password.v2': 'y' },
      errors: {},
    })
  })

  test('credential_passwords that are no mapping are none', () => {
    expect(readPrompts({ credential_passwords: 'x' }).passwords).toEqual({})
  })
})

test('ids beyond all ids, NUL, and mappings that convert to nothing name their field', () => {
  const nothing = { toString: 1 }
  expect(
    readPrompts({ inventory: 2 ** 31, credentials: ['99999999999999999999'], limit: 'a\0b', job_type: nothing }).errors,
  ).toEqual({
    inventory: ['Invalid pk "2147483648" - object does not exist.'],
    credentials: ['Invalid pk "99999999999999999999" - object does not exist.'],
    limit: ['Null characters are not allowed.'],
    job_type: [`"{'toString': 1}" is not a valid choice.`],
  })
})

test('ids that name nothing', () => {
  const { prompts } = readPrompts({
    inventory: 99999,
    credentials: [7, 99999],
    instance_groups: [99999],
    labels: [99999],
    execution_environment: 99999,
  })
  const message = ['Invalid pk "99999" - object does not exist.']
  expect(missingObjects(prompts, { credentials: [machine], instanceGroups: [], labels: [] })).toEqual({
    inventory: message,
    credentials: message,
    instance_groups: message,
    labels: message,
    execution_environment: message,
  })
})

describe('prompts', () => {
  test('what is not prompted is ignored and named, of extra_vars only the refused keys', () => {
    const decision = launch({}, { limit: 'nosuch', extra_vars: { a: 1, x: 1 }, forks: 7, bogus: 1, credentials: [7] })
    expect(decision).toMatchObject({
      ok: true,
      accepted: {},
      ignored: { extra_vars: { a: 1 }, limit: 'nosuch', forks: 7, credentials: [7] },
    })
  })

  test('a value equal to the template is no change', () => {
    expect(launch({}, { limit: 'h1', verbosity: 0, inventory: 3, extra_vars: { x: 1 } })).toMatchObject({
      ok: true,
      accepted: {},
      ignored: {},
    })
  })

  test('what is prompted is accepted', () => {
    const body = {
      limit: 'h2',
      verbosity: 2,
      inventory: 4,
      extra_vars: { y: [1] },
      instance_groups: [5],
      job_type: 'check',
      labels: [6],
    }
    expect(launch({ asks: asks(true) }, body)).toMatchObject({ ok: true, accepted: body, ignored: {} })
  })

  test('a branch needs a project that allows it', () => {
    expect(launch({ asks: asks(true) }, { scm_branch: 'x' })).toEqual({
      ok: false,
      errors: { scm_branch: ['Project does not allow override of branch.'] },
    })
    const project = { status: 'ok', scmBranch: '', allowOverride: true, updatesOnLaunch: false }
    expect(launch({ asks: asks(true), project }, { scm_branch: 'x' })).toMatchObject({
      ok: true,
      accepted: { scm_branch: 'x' },
    })
  })
})

describe('what a job needs', () => {
  test('project, its revision, and inventory', () => {
    expect(launch({ project: null }, {})).toMatchObject({
      ok: false,
      errors: { project: ['A project is required to run a job.'] },
    })
    const failed = { status: 'failed', scmBranch: '', allowOverride: false, updatesOnLaunch: false }
    expect(launch({ project: failed }, {})).toEqual({
      ok: false,
      errors: { playbook: ['Missing a revision to run due to failed project update.'] },
    })
    expect(launch({ project: { ...failed, updatesOnLaunch: true } }, {})).toMatchObject({ ok: true })
    const without = { ...template().plain, inventory: null }
    expect(launch({ plain: without }, {})).toEqual({
      ok: false,
      errors: { resources_needed_to_start: ['Job Template inventory is missing or undefined.'] },
    })
    expect(launch({ plain: without, asks: asks(true) }, { inventory: 4 })).toMatchObject({ ok: true })
    expect(launch({ inventoryBeingDeleted: true }, {})).toEqual({
      ok: false,
      errors: { inventory: ['The inventory associated with this Job Template is being deleted.'] },
    })
  })

  test('passwords its credentials ask for, and no others are kept', () => {
    const credentials = [asking, vault]
    expect(launch({ credentials }, {})).toEqual({
      ok: false,
      errors: { passwords_needed_to_start: ['ssh_password', 'become_password', 'vault_password.v2'] },
    })
    expect(launch({ credentials }, { credential_passwords: { ssh_password: 'x' } })).toEqual({
      ok: false,
      errors: { passwords_needed_to_start: ['become_password', 'vault_password.v2'] },
    })
    expect(
      launch({ credentials: [vault] }, { credential_passwords: { 'vault_password.v2': 'x', ssh_password: 'y' } }),
    ).toMatchObject({ ok: true, passwords: { 'vault_password.v2': 'x' } })
  })
})

describe('credentials', () => {
  const prompting = { asks: asks(true), credentials: [machine] }
  const removing =
    'Removing Machine credential at launch time without replacement is not supported. Provided list lacked credential(s): rec-machine-7.'

  test.each<[number[], Record<string, unknown>]>([
    [[], { credentials: [removing] }],
    [[12], { credentials: ['Cannot assign a Credential of kind `scm`', removing] }],
    [[8, 9], { credentials: ['Cannot assign multiple Machine credentials.'] }],
    [[7, 8], { passwords_needed_to_start: ['ssh_password', 'become_password'] }],
  ])('%j is refused', (credentials, errors) => {
    expect(launch(prompting, { credentials })).toMatchObject({ ok: false, errors })
  })

  test('one of the same place replaces, others join', () => {
    const decision = launch(prompting, { credentials: [9, 11], credential_passwords: { 'vault_password.v2': 'x' } })
    expect(decision).toMatchObject({ ok: true, accepted: { credentials: [9, 11] } })
    expect(decision.ok && decision.credentials.map(({ id }) => id)).toEqual([9, 11])
  })
})

describe('survey', () => {
  const survey: SurveyQuestion[] = [
    { type: 'text', question_name: 'a', variable: 's_text', required: true },
    { type: 'password', question_name: 'p', variable: 's_pw', required: false, default: 'sealed' },
  ]

  test('answers are accepted without being prompted for; others are ignored', () => {
    expect(launch({ survey }, { extra_vars: { s_text: 'abc', more: 1 } })).toMatchObject({
      ok: true,
      accepted: { extra_vars: { s_text: 'abc' } },
      ignored: { extra_vars: { more: 1 } },
    })
    expect(launch({ survey }, {})).toEqual({
      ok: false,
      errors: { variables_needed_to_start: ["'s_text' value missing"] },
    })
  })

  test('variables: template, then defaults, then what was given; the placeholder means the default', () => {
    expect(jobVariables(template({ survey }), { s_text: 'abc', s_pw: '$encrypted$' })).toEqual({
      x: 1,
      s_pw: 'sealed',
      s_text: 'abc',
    })
  })

  test('password answers are split off and found again', () => {
    const { shown, secret } = splitSecretAnswers(survey, { s_text: 'abc', s_pw: 'hunter2' })
    expect(shown).toEqual({ s_text: 'abc', s_pw: '$encrypted$' })
    const sealed = launchSecrets({ ssh_password: 'x' }, secret)
    expect(sealed).toEqual({ ssh_password: 'x', 'extra_vars.s_pw': 'hunter2' })
    expect(restoreSecretAnswers(shown, sealed)).toEqual({ s_text: 'abc', s_pw: 'hunter2' })
  })
})

test('a template starts without input when nothing is asked or missing', () => {
  expect(canStartWithoutInput(template())).toBe(true)
  expect(canStartWithoutInput(template({ asks: asks(true, ['limit']) }))).toBe(false)
  expect(canStartWithoutInput(template({ credentials: [vault] }))).toBe(false)
  expect(canStartWithoutInput(template({ project: null }))).toBe(false)
})
