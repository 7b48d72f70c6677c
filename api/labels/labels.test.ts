import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { labels } from '../../store/schema/labels.ts'
import type { TestApp } from '../testing.ts'
import { openRecordedWorkflows } from '../testing-workflows.ts'

let app: TestApp
beforeAll(async () => {
  app = await openRecordedWorkflows()
})
afterAll(() => app.close())

const post = (path: string, body: object) => app.call('POST', `/api/v2/${path}`, body)
const named = async (name: string) => (await app.call('GET', `/api/v2/labels/?name=${name}`)).body.results

describe.each([
  ['a job template', 'job_templates/17/'],
  ['a workflow', 'workflow_job_templates/35/'],
  ['a node', 'workflow_job_template_nodes/8/'],
  ['an inventory', 'inventories/4/'],
])('labels of %s', (_, path) => {
  test('a new name makes one, a known name takes it, and the last to let go deletes it', async () => {
    const made = await post(`${path}labels/`, { name: 'night', organization: 2 })
    expect([made.status, made.body]).toMatchObject([201, { name: 'night', organization: 2 }])
    const again = await post('job_templates/31/labels/', { name: 'night', organization: 2 })
    expect([again.status, (await named('night')).length]).toEqual([204, 1])
    expect((await app.call('GET', `/api/v2/${path}labels/?name=night`)).body.count).toBe(1)
    const { id } = made.body
    expect((await post(`${path}labels/`, { id, disassociate: true })).status).toBe(204)
    expect(await named('night')).toHaveLength(1)
    expect((await post('job_templates/31/labels/', { id, disassociate: true })).status).toBe(204)
    expect(await named('night')).toEqual([])
  })
})

test('the same name in another organization is another label', async () => {
  const made = await post('job_templates/17/labels/', { name: 'rec-label', organization: 3 })
  expect(made.status).toBe(201)
  expect(await named('rec-label')).toHaveLength(2)
})

test('no more than a hundred and one', async () => {
  const rows = Array.from({ length: 101 }, (_, index) => ({ name: `many ${index}`, organizationId: 2 }))
  const made = await app.store.db.insert(labels).values(rows).returning()
  for (const { id } of made) expect((await post('job_templates/22/labels/', { id })).status).toBe(204)
  const answer = await post('job_templates/22/labels/', { name: 'one more', organization: 2 })
  expect([answer.status, answer.body]).toEqual([400, { msg: 'Maximum number of labels for job template reached.' }])
  expect(await named('one more')).toEqual([])
})

describe('jobs', () => {
  const launch = (body: object) => post('job_templates/32/launch/', body)
  const labelsOf = async (id: number) =>
    (await app.call('GET', `/api/v2/jobs/${id}/labels/`)).body.results.map(({ id: label }: { id: number }) => label)

  test('have the labels of their template, or those of their launch, and keep them when they run again', async () => {
    await post('job_templates/32/labels/', { id: 1 })
    const own = await launch({})
    expect(await labelsOf(own.body.job)).toEqual([1])
    expect(own.body.summary_fields.labels).toEqual({ count: 1, results: [{ id: 1, name: 'rec-label' }] })
    const prompted = await launch({ labels: [2] })
    expect(await labelsOf(prompted.body.job)).toEqual([2])
    const again = await post(`jobs/${prompted.body.job}/relaunch/`, { credential_passwords: {} })
    expect(await labelsOf(again.body.job)).toEqual([2])
    expect((await app.call('GET', '/api/v2/jobs/?labels__name=rec-label2')).body.count).toBe(2)
    expect((await app.call('GET', '/api/v2/job_templates/32/launch/')).body.defaults.labels).toEqual([
      { id: 1, name: 'rec-label' },
    ])
  })

  test('a launch names labels that exist, and only where the template asks', async () => {
    expect((await launch({ labels: [99999] })).body).toEqual({
      labels: ['Invalid pk "99999" - object does not exist.'],
    })
    const unasked = await post('job_templates/17/launch/', { labels: [2] })
    expect([unasked.status, unasked.body.ignored_fields]).toEqual([201, { labels: [2] }])
  })
})
