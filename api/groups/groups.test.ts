import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { channels } from '../../store/channel.ts'
import { credentials, instanceGroups } from '../../store/schema/catalog.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import type { TestApp } from '../testing.ts'
import { nobody, openRecordedApp } from '../testing-domain.ts'

let app: TestApp
beforeAll(async () => {
  app = await openRecordedApp()
})
afterAll(() => app.close())

const path = '/api/v2/instance_groups/'

test('usage of a group is worked out from its jobs', async () => {
  await app.call('PATCH', `${path}5/`, { max_forks: 20 })
  // Two jobs run: 5 hosts and 5 forks each, and one more for the play.
  expect((await app.call('GET', `${path}5/`)).body).toMatchObject({
    ...{ jobs_running: 2, jobs_total: 5, capacity: 20, consumed_capacity: 12, percent_capacity_remaining: 40 },
  })
  expect((await app.call('GET', `${path}5/jobs/`)).body.count).toBe(5)
  const list = await app.call('GET', path)
  expect(list.body.results.map((group: { jobs_running: number }) => group.jobs_running).toSorted()).toEqual([
    0, 0, 0, 0, 2,
  ])
})

describe('pod_spec_override', () => {
  test('what does not validate is refused with the place and a remedy', async () => {
    const override = 'spec:\n  containers:\n  - name: worker\n    resources: {requests: {cpu: [1]}}'
    const { status, body } = await app.call('PATCH', `${path}5/`, { pod_spec_override: override })
    expect([status, body.pod_spec_override[0]]).toEqual([400, expect.stringContaining('spec.containers[0].resources')])
  })

  test('leading white space is kept, for it is YAML', async () => {
    const override = '  metadata:\n    namespace: jobs\n'
    const { body } = await app.call('PATCH', `${path}3/`, { pod_spec_override: override })
    expect(body.pod_spec_override).toBe(override)
  })

  test('preview shows the pod that a job would get, saved or not', async () => {
    const saved = await app.call('GET', `${path}3/preview/`)
    expect(saved.body).toMatchObject({ ok: true, errors: [], manifest: { metadata: { namespace: 'jobs' } } })
    const unsaved = await app.call('POST', `${path}3/preview/`, { pod_spec_override: 'metadata: {labels: {team: a}}' })
    expect(unsaved.body.manifest).toMatchObject({
      metadata: { namespace: 'mayfly', labels: { team: 'a' } },
      spec: { containers: [{ name: 'worker', image: 'registry.example.org/ee:1' }] },
    })
    const broken = await app.call('POST', `${path}3/preview/`, { pod_spec_override: 'not yaml: [' })
    expect([broken.status, broken.body]).toMatchObject([200, { ok: false, manifest: null }])
    expect(broken.body.errors).toHaveLength(1)
    const misshapen = await app.call('POST', `${path}3/preview/`, { pod_spec_override: 'spec: {volumes: 5}' })
    expect([misshapen.status, misshapen.body]).toMatchObject([200, { ok: false, manifest: null }])
    expect((await app.call('POST', `${path}3/preview/`, { pod_spec_override: 5 })).status).toBe(400)
  })
})

test('a credential set once is required from then on, until it is taken away on purpose', async () => {
  const { db } = app.store
  const required = async (id: number) =>
    (await db.select().from(instanceGroups).where(eq(instanceGroups.id, id)))[0]?.credentialRequired
  const { body } = await app.call('POST', path, { name: 'new', is_container_group: true, credential: 4 })
  expect(await required(body.id)).toBe(true)
  await db.delete(credentials).where(eq(credentials.id, 4))
  expect(await required(body.id)).toBe(true)
  await app.call('PATCH', `${path}${body.id}/`, { credential: null })
  expect(await required(body.id)).toBe(false)
})

test('a job that waits for this group alone keeps it', async () => {
  const { body } = await app.call('POST', path, { name: 'awaited', is_container_group: true })
  await app.store.db
    .insert(unifiedJobs)
    .values({ type: 'job', name: 'w', status: 'pending', eligibleGroups: [body.id] })
  expect((await app.call('DELETE', `${path}${body.id}/`)).status).toBe(409)
  await app.store.db
    .update(unifiedJobs)
    .set({ eligibleGroups: [body.id, 2] })
    .where(eq(unifiedJobs.name, 'w'))
  expect((await app.call('DELETE', `${path}${body.id}/`)).status).toBe(204)
})

describe('drain', () => {
  test('a group is drained with a deadline, which can be changed, until it is not', async () => {
    const drain = (body?: unknown) => app.call('POST', `${path}3/drain/`, body)
    const none = { draining_since: null, drain_deadline: null, jobs_left: 0 }
    expect((await app.call('GET', `${path}3/drain/`)).body).toMatchObject(none)
    const first = await drain()
    expect([first.status, first.body]).toEqual([
      200,
      { draining_since: expect.any(String), drain_deadline: null, jobs_left: 0, jobs_stranded: expect.any(Number) },
    ])
    const second = (await drain({ deadline_seconds: 600 })).body
    expect(second.draining_since).toBe(first.body.draining_since)
    const leftMs = Date.parse(second.drain_deadline) - Date.now()
    expect(leftMs).toBeGreaterThan(400_000)
    expect(leftMs).toBeLessThan(601_000)
    const { draining_since, drain_deadline } = second
    expect((await app.call('GET', `${path}3/`)).body).toMatchObject({ draining_since, drain_deadline })
    expect((await drain({ deadline_seconds: null })).body.drain_deadline).toBeNull()
    expect((await app.call('DELETE', `${path}3/drain/`)).status).toBe(204)
    expect((await app.call('GET', `${path}3/drain/`)).body).toMatchObject(none)
  })

  test('jobs that have no other group are stranded', async () => {
    const { body } = await app.call('POST', path, { name: 'lonely', is_container_group: true })
    for (const eligibleGroups of [[body.id], [body.id, 3], [3]]) {
      await app.store.db.insert(unifiedJobs).values({ type: 'job', name: 's', status: 'pending', eligibleGroups })
    }
    expect((await app.call('POST', `${path}${body.id}/drain/`)).body).toMatchObject({ jobs_stranded: 1 })
  })

  test.each([
    ['text', 'A valid integer is required.'],
    [1.5, 'A valid integer is required.'],
    [-1, 'Ensure this value is greater than or equal to 0.'],
    [1e9, 'Ensure this value is less than or equal to 31536000.'],
  ])('deadline_seconds %j is refused', async (value, message) => {
    const { status, body } = await app.call('POST', `${path}3/drain/`, { deadline_seconds: value })
    expect([status, body]).toEqual([400, { deadline_seconds: [message] }])
  })

  test('only container groups, and only by superusers', async () => {
    const { body } = await app.call('GET', `${path}?name=controlplane`)
    const answer = await app.call('POST', `${path}${body.results[0].id}/drain/`)
    expect([answer.status, answer.body.detail]).toEqual([409, expect.stringContaining('control plane')])
    expect((await app.call('POST', `${path}3/drain/`, {}, { as: nobody })).status).toBeGreaterThanOrEqual(403)
    expect((await app.call('DELETE', `${path}3/drain/`, undefined, { as: nobody })).status).toBeGreaterThanOrEqual(403)
  })
})

test('gates hear of a change', async () => {
  const heard: (string | null)[] = []
  const stop = await app.store.listen(channels.groups, (payload) => heard.push(payload))
  await app.call('PATCH', `${path}3/`, { max_concurrent_jobs: 2 })
  await expect.poll(() => heard).toContain('3')
  await stop()
})

test('only superusers change groups', async () => {
  expect((await app.call('POST', path, { name: 'x' }, { as: nobody })).status).toBe(403)
  expect((await app.call('GET', path, undefined, { as: nobody })).body.count).toBe(0)
})
