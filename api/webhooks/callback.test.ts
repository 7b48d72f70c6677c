import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { transitionJob } from '../../store/job-status.ts'
import { hosts } from '../../store/schema/inventory.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { inventorySources } from '../../store/schema/updates.ts'
import type { TestApp } from '../testing.ts'
import { openRecordedWorkflows } from '../testing-workflows.ts'

const path = '/api/v2/job_templates/24/'
let app: TestApp
beforeAll(async () => {
  app = await openRecordedWorkflows()
  expect((await app.call('PATCH', path, { host_config_key: 'hostkey1' })).status).toBe(200)
  await app.store.db.update(unifiedJobs).set({ status: 'canceled' }).where(eq(unifiedJobs.jobTemplateId, 24))
  await app.store.db.update(hosts).set({ variables: 'ansible_host: 192.0.2.7' }).where(eq(hosts.name, 'h1'))
})
afterAll(() => app.close())

const call = (body: unknown, from = '192.0.2.7') => app.call('POST', `${path}callback/`, body, { as: null, from })

test('the host that calls gets a job for itself, and no second one while that is active', async () => {
  const answer = await call({ host_config_key: 'hostkey1' })
  expect([answer.status, answer.body]).toEqual([201, ''])
  const job = (await app.call('GET', answer.headers.get('location') ?? '')).body
  expect(job).toMatchObject({ limit: 'h1', launch_type: 'callback', job_template: 24, status: 'pending' })
  expect(await call({ host_config_key: 'hostkey1' })).toMatchObject({
    ...{ status: 400, body: { msg: 'Host callback job already pending.' } },
  })
})

test('over IPv6 sockets, and as a form', async () => {
  await app.store.db.update(unifiedJobs).set({ status: 'canceled' }).where(eq(unifiedJobs.jobTemplateId, 24))
  const answer = await app.call('POST', `${path}callback/`, undefined, {
    ...{ as: null, from: '::ffff:192.0.2.7' },
    raw: { text: 'host_config_key=hostkey1', type: 'application/x-www-form-urlencoded' },
  })
  expect(answer.status).toBe(201)
})

test.each([
  [{ host_config_key: 'bad' }, '192.0.2.7', 403, { detail: 'You do not have permission to perform this action.' }],
  [{}, '192.0.2.7', 403, { detail: 'You do not have permission to perform this action.' }],
  [{ host_config_key: 'hostkey1' }, '192.0.2.99', 400, { msg: 'No matching host could be found!' }],
])('%j from %s', async (body, from, status, expected) => {
  const answer = await call(body, from)
  expect([answer.status, answer.body]).toEqual([status, expected])
})

test('two hosts with the address are too many', async () => {
  await app.store.db.update(hosts).set({ variables: 'ansible_host: 192.0.2.7' }).where(eq(hosts.name, 'h2'))
  expect(await call({ host_config_key: 'hostkey1' })).toMatchObject({
    ...{ status: 400, body: { msg: 'Multiple hosts matched the request!' } },
  })
  const { body } = await app.call('GET', `${path}callback/`, undefined, { from: '192.0.2.7' })
  expect(body).toEqual({ host_config_key: 'hostkey1', matching_hosts: ['h1', 'h2'] })
  await app.store.db.update(hosts).set({ variables: '' }).where(eq(hosts.name, 'h2'))
})

test('a template that asks takes variables, but none that connect', async () => {
  await app.store.db.update(unifiedJobs).set({ status: 'canceled' }).where(eq(unifiedJobs.jobTemplateId, 24))
  await app.call('PATCH', path, { ask_variables_on_launch: true })
  expect(await call({ host_config_key: 'hostkey1' })).toMatchObject({
    ...{ status: 400, body: { msg: 'Cannot start automatically, user input required!' } },
  })
  const answer = await call({ host_config_key: 'hostkey1', extra_vars: { role: 'web', ansible_connection: 'local' } })
  expect(answer.status).toBe(201)
  const job = (await app.call('GET', answer.headers.get('location') ?? '')).body
  expect(JSON.parse(job.extra_vars)).toEqual({ role: 'web' })
})

test('a host that its inventory does not know yet is looked for once more after an update', async () => {
  const [source] = await app.store.db
    .insert(inventorySources)
    .values({ name: 'cloud', inventoryId: 3, updateOnLaunch: true })
    .returning()
  await app.call('PATCH', path, { ask_variables_on_launch: false })
  const called = [
    call({ host_config_key: 'hostkey1' }, '192.0.2.50'),
    call({ host_config_key: 'hostkey1' }, '192.0.2.51'),
  ]
  const update = await vi.waitFor(async () => {
    const rows = await app.store.db.select().from(unifiedJobs).where(eq(unifiedJobs.type, 'inventory_update'))
    return rows[0] ?? expect.fail('no update yet')
  }, 60_000)
  expect(update).toMatchObject({ launchType: 'callback', inventorySourceId: source?.id })
  await app.store.db.insert(hosts).values({ name: 'fresh', inventoryId: 3, variables: 'ansible_host: 192.0.2.50' })
  for (const status of ['running', 'successful'] as const) await transitionJob(app.store.db, update.id, status)
  expect((await Promise.all(called)).map(({ status }) => status)).toEqual([201, 400])
  // Both waited for the one update.
  const updates = await app.store.db.select().from(unifiedJobs).where(eq(unifiedJobs.type, 'inventory_update'))
  expect(updates).toHaveLength(1)
})

test('nobody without a login sees the key', async () => {
  expect((await app.call('GET', `${path}callback/`, undefined, { as: null })).status).toBe(403)
})
