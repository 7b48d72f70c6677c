/** Launches repeated by impatient clients: one key, one job. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'

let mayfly: Mayfly
let template: number
let otherTemplate: number

const other = { username: 'other', password: 'other-password', is_superuser: true }
const asOther = { authorization: `Basic ${Buffer.from(`${other.username}:${other.password}`).toString('base64')}` }

beforeAll(async () => {
  mayfly = await startMayfly({ worker: false })
  const catalog = await makeCatalog(mayfly, { files: { 'play.yml': '- hosts: all\n  tasks: []\n' } })
  const asks = { ask_variables_on_launch: true, allow_simultaneous: true }
  template = await makeTemplate(mayfly, catalog, 'play.yml', asks)
  otherTemplate = await makeTemplate(mayfly, catalog, 'play.yml', asks)
  await mayfly.post('/users/', other)
})
afterAll(() => mayfly?.stop())

const launchWith = (key: string, body: unknown = {}, headers: Record<string, string> = {}, which = template) =>
  mayfly.api<{ job: number; detail?: string }>('POST', `/job_templates/${which}/launch/`, body, {
    'idempotency-key': key,
    ...headers,
  })
const countJobs = async () => (await mayfly.get<{ count: number }>('/jobs/')).count

test('twenty at once make one job', async () => {
  const before = await countJobs()
  const answers = await Promise.all(Array.from({ length: 20 }, () => launchWith('twenty', { extra_vars: { a: 1 } })))
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201))
  expect(new Set(answers.map(({ body }) => body.job)).size).toBe(1)
  expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === null)).toHaveLength(1)
  expect(await countJobs()).toBe(before + 1)
})

test('another body or template: 422; what only looks different is the same', async () => {
  const first = await launchWith('body', { extra_vars: { a: 1, b: [1, 2] } })
  const same = await launchWith('body', '{ "extra_vars" : {"b":[1,2],  "a":1} }')
  expect([same.status, same.body.job]).toEqual([201, first.body.job])
  for (const refused of [
    await launchWith('body', { extra_vars: { a: 2 } }),
    await launchWith('body'),
    await launchWith('body', { extra_vars: { a: 1, b: [1, 2] } }, {}, otherTemplate),
  ]) {
    expect([refused.status, refused.body.detail]).toEqual([
      422,
      expect.stringMatching(/used before with another request/),
    ])
  }
})

test('of ten at once with two bodies one body wins', async () => {
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) => launchWith('race', { extra_vars: { a: index % 2 } })),
  )
  const statuses = answers.map(({ status }) => status).sort()
  expect(statuses).toEqual([...Array(5).fill(201), ...Array(5).fill(422)])
  expect(new Set(answers.filter(({ status }) => status === 201).map(({ body }) => body.job)).size).toBe(1)
})

test('the key of another user is another key', async () => {
  const [mine, theirs] = await Promise.all([
    launchWith('shared'),
    launchWith('shared', { extra_vars: { b: 1 } }, asOther),
  ])
  expect([mine.status, theirs.status]).toEqual([201, 201])
  expect(mine.body.job).not.toBe(theirs.body.job)
  expect((await launchWith('shared', { extra_vars: { b: 1 } }, asOther)).body.job).toBe(theirs.body.job)
})

test('a refused launch uses no key up', async () => {
  expect((await launchWith('refused', { extra_vars: '[' })).status).toBe(400)
  expect((await launchWith('refused', { extra_vars: {} })).status).toBe(201)
})

test('a relaunch is repeatable, too', async () => {
  const { body } = await launchWith('to relaunch')
  const relaunch = () =>
    mayfly.api<{ id: number }>('POST', `/jobs/${body.job}/relaunch/`, {}, { 'idempotency-key': 'again' })
  const answers = await Promise.all([relaunch(), relaunch(), relaunch()])
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201])
  expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1)
})

test('the key of a job that was deleted makes no second one: 409', async () => {
  const { body } = await launchWith('deleted')
  expect((await mayfly.api('POST', `/jobs/${body.job}/cancel/`)).status).toBe(202)
  expect((await mayfly.api('DELETE', `/jobs/${body.job}/`)).status).toBe(204)
  const again = await launchWith('deleted')
  expect([again.status, again.body.detail]).toEqual([409, expect.stringMatching(`job ${body.job}, which was deleted`)])
})

test.each([
  ['empty', '', 400],
  ['as long as may be', 'k'.repeat(255), 201],
  ['too long', 'k'.repeat(256), 400],
  ['of odd characters', '"\'\\;%00 ÿ', 201],
])('a key that is %s', async (_what, key, status) => {
  expect((await launchWith(key)).status).toBe(status)
})
