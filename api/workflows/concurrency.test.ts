import { createHmac } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { workflowJobTemplateEdges } from '../../store/schema/workflows.ts'
import type { TestApp } from '../testing.ts'
import { openRecordedWorkflows } from '../testing-workflows.ts'

/** PostgreSQL really does two things at once. */
let app: TestApp
beforeAll(async () => {
  app = await openRecordedWorkflows('postgres')
})
afterAll(() => app.close())

const statuses = async (answers: Promise<{ status: number }>[]) =>
  (await Promise.all(answers)).map(({ status }) => status).toSorted()

test('edges made at once never close a cycle', async () => {
  const nodes: number[] = []
  for (const identifier of ['x', 'y', 'z']) {
    const body = { workflow_job_template: 33, identifier }
    nodes.push((await app.call('POST', '/api/v2/workflow_job_template_nodes/', body)).body.id)
  }
  const link = (from: number, kind: string, id: number) =>
    app.call('POST', `/api/v2/workflow_job_template_nodes/${from}/${kind}_nodes/`, { id })
  for (let round = 0; round < 5; round++) {
    const links = nodes.map((from, index) => link(from, 'success', nodes[(index + 1) % 3] ?? 0))
    expect(await statuses(links)).toEqual([204, 204, 400])
    for (const id of nodes) {
      await app.store.db.delete(workflowJobTemplateEdges).where(eq(workflowJobTemplateEdges.parentId, id))
    }
  }
})

test('two kinds of edges between two nodes, asked for at once: one is made', async () => {
  const link = (kind: string) => app.call('POST', `/api/v2/workflow_job_template_nodes/9/${kind}_nodes/`, { id: 1000 })
  await app.call('POST', '/api/v2/workflow_job_template_nodes/', { workflow_job_template: 35, identifier: 'other' })
  const { body } = await app.call('GET', '/api/v2/workflow_job_template_nodes/?identifier=other')
  const to = (kind: string) =>
    app.call('POST', `/api/v2/workflow_job_template_nodes/9/${kind}_nodes/`, { id: body.results[0].id })
  expect(await statuses([to('success'), to('failure'), to('always')])).toEqual([204, 400, 400])
  // A node of another workflow stays out of it.
  expect((await link('success')).status).toBe(403)
})

test('an approval is decided once', async () => {
  const decide = (word: string) => app.call('POST', `/api/v2/workflow_approvals/66/${word}/`)
  expect(await statuses(['approve', 'deny', 'approve', 'deny'].map(decide))).toEqual([204, 400, 400, 400])
})

test('a delivery that comes five times at once launches once', async () => {
  const path = '/api/v2/workflow_job_templates/33/'
  await app.call('PATCH', path, { webhook_service: 'github' })
  const { webhook_key: key } = (await app.call('GET', `${path}webhook_key/`)).body
  const text = '{"ref": "main"}'
  const headers = {
    ...{ 'X-GitHub-Event': 'create', 'X-GitHub-Delivery': 'five times' },
    'X-Hub-Signature-256': `sha256=${createHmac('sha256', key).update(text).digest('hex')}`,
  }
  const deliver = () =>
    app.call('POST', `${path}github/`, undefined, { as: null, raw: { text, type: 'application/json' }, headers })
  const answers = await Promise.all(Array.from({ length: 5 }, deliver))
  expect(answers.map(({ body }) => body.message).toSorted()[0]).toBe('Job queued.')
  const jobs = await app.store.db.select().from(unifiedJobs).where(eq(unifiedJobs.webhookGuid, 'five times'))
  expect(jobs).toHaveLength(1)
})

test('a host that calls several times at once gets one job', async () => {
  const path = '/api/v2/job_templates/17/'
  await app.call('PATCH', path, { host_config_key: 'k' })
  await app.call('PATCH', '/api/v2/hosts/3/', { variables: 'ansible_host: 192.0.2.7' })
  const call = () => app.call('POST', `${path}callback/`, { host_config_key: 'k' }, { as: null, from: '192.0.2.7' })
  expect(await statuses([call(), call(), call(), call()])).toEqual([201, 400, 400, 400])
})
