import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cause } from '../../model/cause.ts'
import type { PostMortem } from '../../model/post-mortem.ts'
import { storePostMortem } from '../../store/post-mortems.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { postMortems } from '../../store/schema/runtime.ts'
import type { TestApp } from '../testing.ts'
import { openRecordedApp } from '../testing-domain.ts'

const jobId = 104
const path = `/api/v2/jobs/${jobId}/post_mortem/`

const document: PostMortem = {
  taken: '2026-11-21T21:36:54.081Z',
  cause: cause('pod_evicted', 'The node evicted the pod: disk', 'Evicted'),
  cluster: 'kubernetes.example.org:6443',
  namespace: 'jobs',
  pod: `automation-job-${jobId}-1`,
  source: 'cluster',
  manifest: { kind: 'Pod' },
  status: { phase: 'Failed' },
  events: [{ time: '2026-11-21T21:36:50Z', type: 'Warning', reason: 'Evicted', message: 'disk', count: 1 }],
  node: { name: 'node-1', conditions: [], taints: ['disk:NoSchedule'] },
  lastLines: ['PLAY [all]'],
  quotas: [{ name: 'team', hard: { pods: '5' }, used: { pods: '1' } }],
  missing: [],
}

let app: TestApp
beforeAll(async () => {
  app = await openRecordedApp()
})
afterAll(() => app.close())

const job = async () => (await app.call('GET', `/api/v2/jobs/${jobId}/`)).body

test('404 says why there is none, and no link leads there', async () => {
  const { status, body } = await app.call('GET', path)
  expect([status, body]).toEqual([404, { detail: 'This job has not ended, and no attempt of it has died so far.' }])
  expect((await job()).related).not.toHaveProperty('post_mortem')
})

test('the last attempt that has one, or the one that is named', async () => {
  await app.store.db
    .update(unifiedJobs)
    .set({ status: 'error', finished: '2026-01-02T03:04:05Z', cause: 'pod_evicted', attemptCount: 3 })
    .where(eq(unifiedJobs.id, jobId))
  for (const attempt of [1, 2]) {
    const pod = `automation-job-${jobId}-${attempt}`
    await storePostMortem(app.store.db, { jobId, attempt }, { ...document, pod })
  }
  // Taken again, the later one counts.
  await storePostMortem(app.store.db, { jobId, attempt: 2 }, { ...document, missing: ['events: no answer'] })
  expect((await job()).related.post_mortem).toBe(path)
  const { body } = await app.call('GET', path)
  expect(body).toEqual({
    ...{ job: jobId, attempt: 2, attempts: [1, 2], taken: document.taken },
    ...{ instance_group: null, claimed: null, pod_created: null, delivered: null, ended: null, released: null },
    ...{ cause: 'pod_evicted', status: 'error', explanation: document.cause.message, evidence: 'Evicted' },
    ...{ cluster: document.cluster, namespace: 'jobs', pod: `automation-job-${jobId}-1`, source: 'cluster' },
    ...{ pod_status: document.status, pod_manifest: document.manifest, events: document.events },
    ...{ node: document.node, quotas: document.quotas, last_lines: ['PLAY [all]'], missing: ['events: no answer'] },
  })
  const options = await app.call('OPTIONS', path)
  expect(Object.keys(options.body.actions.GET).toSorted()).toEqual(Object.keys(body).toSorted())
  expect((await app.call('GET', `${path}?attempt=1`)).body).toMatchObject({ attempt: 1, missing: [] })
  expect(await app.call('GET', `${path}?attempt=3`)).toMatchObject({
    status: 404,
    body: { detail: 'Attempt 3 of this job has no post-mortem. These have one: 1, 2.' },
  })
  expect(await app.call('GET', `${path}?attempt=last`)).toMatchObject({
    status: 400,
    body: { detail: 'attempt must be the number of an attempt, such as 1.' },
  })
})

test('whoever may read the job reads it, and nobody else', async () => {
  const nobody = { as: 'nobody:nobody-at-all-1' }
  await app.call('POST', '/api/v2/users/', { username: 'nobody', password: 'nobody-at-all-1' })
  expect((await app.call('GET', path, undefined, nobody)).status).toBe(403)
  expect((await app.call('GET', path, undefined, { as: null })).status).toBe(401)
})

test('a shell is no plain request', async () => {
  const { status, headers, body } = await app.call('GET', `/api/v2/jobs/${jobId}/shell/`)
  expect([status, headers.get('upgrade')]).toEqual([426, 'websocket'])
  expect(body.detail).toContain('mayfly shell')
})

test('it goes with its job', async () => {
  expect((await app.call('DELETE', `/api/v2/jobs/${jobId}/`)).status).toBe(204)
  expect(await app.store.db.select().from(postMortems)).toEqual([])
})
