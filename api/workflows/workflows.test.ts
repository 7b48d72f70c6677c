import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { jobTemplates } from '../../store/schema/templates.ts'
import { workflowApprovalTemplates } from '../../store/schema/workflows.ts'
import type { TestApp } from '../testing.ts'
import { openRecordedWorkflows } from '../testing-workflows.ts'

let app: TestApp
let workflow: number
beforeAll(async () => {
  app = await openRecordedWorkflows()
})
afterAll(() => app.close())
beforeEach(async () => {
  workflow = (await app.make('workflow_job_templates', { name: `wf ${crypto.randomUUID()}`, organization: 2 })).id
})

const makeNode = (identifier: string, more: object = {}) =>
  app.make('workflow_job_template_nodes', { workflow_job_template: workflow, identifier, ...more })
const nodePath = (id: number) => `/api/v2/workflow_job_template_nodes/${id}/`
const link = (from: number, kind: string, to: number, more: object = {}) =>
  app.call('POST', `${nodePath(from)}${kind}_nodes/`, { id: to, ...more })

describe('edges', () => {
  test('are made, shown at their parent, and undone', async () => {
    const [a, b] = [await makeNode('a'), await makeNode('b')]
    expect((await link(a.id, 'always', b.id)).status).toBe(204)
    expect((await app.call('GET', nodePath(a.id))).body).toMatchObject({ always_nodes: [b.id], success_nodes: [] })
    expect((await link(a.id, 'success', b.id)).body).toEqual({ Error: 'Relationship not allowed.' })
    // Of another kind there is nothing to undo.
    expect((await link(a.id, 'success', b.id, { disassociate: true })).status).toBe(204)
    expect((await app.call('GET', nodePath(a.id))).body.always_nodes).toEqual([b.id])
    expect((await link(a.id, 'always', b.id, { disassociate: true })).status).toBe(204)
    expect((await app.call('GET', nodePath(a.id))).body.always_nodes).toEqual([])
  })

  test('a body without id makes a node of the same workflow, linked', async () => {
    const a = await makeNode('a')
    const made = await app.call('POST', `${nodePath(a.id)}failure_nodes/`, {
      identifier: 'b',
      unified_job_template: 16,
    })
    expect([made.status, made.body]).toMatchObject([201, { workflow_job_template: workflow, identifier: 'b' }])
    expect((await app.call('GET', nodePath(a.id))).body.failure_nodes).toEqual([made.body.id])
  })

  test('of two at once that would close a cycle one is refused', async () => {
    const [a, b] = [await makeNode('a'), await makeNode('b')]
    const answers = await Promise.all([link(a.id, 'success', b.id), link(b.id, 'always', a.id)])
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 400])
  })

  test('a cycle over many nodes is found', async () => {
    const nodes = await Promise.all(Array.from({ length: 12 }, (_, index) => makeNode(`n${index}`)))
    for (const [index, { id }] of nodes.entries()) {
      const next = nodes[index + 1]
      if (next) expect((await link(id, 'success', next.id)).status).toBe(204)
    }
    const [first, last] = [nodes[0]?.id ?? 0, nodes.at(-1)?.id ?? 0]
    expect((await link(last, 'failure', first)).body).toEqual({ Error: 'Cycle detected.' })
  })
})

describe('approvals', () => {
  const ask = (node: number, body: object) => app.call('POST', `${nodePath(node)}create_approval_template/`, body)
  const exists = async (id: number) =>
    (await app.store.db.select().from(workflowApprovalTemplates).where(eq(workflowApprovalTemplates.id, id))).length ===
    1

  test('belong to their node: another one replaces them, and they go with it', async () => {
    const node = await makeNode('gate')
    const first = (await ask(node.id, { name: 'go on?', timeout: 60 })).body
    expect((await app.call('GET', first.url)).body).toMatchObject({ name: 'go on?', timeout: 60 })
    const second = (await ask(node.id, { name: 'really?' })).body
    expect([await exists(first.id), await exists(second.id)]).toEqual([false, true])
    await app.call('PATCH', nodePath(node.id), { unified_job_template: 16 })
    expect(await exists(second.id)).toBe(false)
    const third = (await ask(node.id, { name: 'truly?' })).body
    expect((await app.call('DELETE', nodePath(node.id))).status).toBe(204)
    expect(await exists(third.id)).toBe(false)
    const last = (await ask((await makeNode('other')).id, { name: 'last' })).body
    expect((await app.call('DELETE', `/api/v2/workflow_job_templates/${workflow}/`)).status).toBe(204)
    expect(await exists(last.id)).toBe(false)
  })

  test.each([
    [{ timeout: 1 }, { name: ['This field is required.'] }],
    [
      { name: '', timeout: 'soon' },
      { name: ['This field may not be blank.'], timeout: ['A valid integer is required.'] },
    ],
  ])('%j makes none', async (body, expected) => {
    const answer = await ask((await makeNode('gate')).id, body)
    expect([answer.status, answer.body]).toEqual([400, expected])
  })

  test('are decided once, whoever is quicker', async () => {
    const decide = (word: string) => app.call('POST', `/api/v2/workflow_approvals/66/${word}/`)
    const answers = await Promise.all([decide('approve'), decide('deny'), decide('approve')])
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 400, 400])
    expect((await app.call('GET', '/api/v2/workflow_approvals/66/')).body).toMatchObject({
      can_approve_or_deny: false,
      summary_fields: { approved_or_denied_by: { username: 'admin' } },
    })
  })
})

test('a copy has nodes, edges, prompts and approvals of its own', async () => {
  const [a, gate, b] = [
    await makeNode('a', { unified_job_template: 32, limit: 'web' }),
    await makeNode('gate'),
    await makeNode('b', { unified_job_template: 16 }),
  ]
  await app.call('POST', `${nodePath(gate.id)}create_approval_template/`, { name: 'go on?', timeout: 5 })
  await link(a.id, 'success', gate.id)
  await link(gate.id, 'failure', b.id)
  await app.call('POST', `${nodePath(a.id)}labels/`, { id: 1 })
  await app.call('POST', `${nodePath(a.id)}instance_groups/`, { id: 5 })
  const copy = await app.make(`workflow_job_templates/${workflow}/copy`, { name: 'copied' })
  const { results } = (await app.call('GET', `/api/v2/workflow_job_templates/${copy.id}/workflow_nodes/`)).body
  const [first, approval, last] = ['a', 'gate', 'b'].map((name) =>
    results.find(({ identifier }: { identifier: string }) => identifier === name),
  )
  expect(first).toMatchObject({ limit: 'web', success_nodes: [approval.id] })
  expect(approval).toMatchObject({ failure_nodes: [last.id] })
  const asked = approval.summary_fields.unified_job_template
  expect(asked).toMatchObject({ name: 'go on?', timeout: 5 })
  expect(asked.id).not.toBe((await app.call('GET', nodePath(gate.id))).body.unified_job_template)
  for (const list of ['labels', 'instance_groups']) {
    expect((await app.call('GET', `${nodePath(first.id)}${list}/`)).body.count).toBe(1)
  }
  expect((await app.call('DELETE', `/api/v2/workflow_job_templates/${workflow}/`)).status).toBe(204)
  expect((await app.call('GET', `/api/v2/workflow_job_templates/${copy.id}/workflow_nodes/`)).body.count).toBe(3)
})

describe('templates that are deleted', () => {
  test('leave their nodes without one, and launches say so', async () => {
    const template = await app.make('job_templates', { name: 'doomed', project: 15, inventory: 3, playbook: 'ok.yml' })
    const node = await makeNode('a', { unified_job_template: template.id })
    expect((await app.call('DELETE', `/api/v2/job_templates/${template.id}/`)).status).toBe(204)
    const { body } = await app.call('GET', nodePath(node.id))
    expect([body.unified_job_template, body.related.unified_job_template]).toEqual([null, undefined])
    const view = await app.call('GET', `/api/v2/workflow_job_templates/${workflow}/launch/`)
    expect(view.body.node_templates_missing).toEqual([node.id])
  })

  test('also where they went with something else', async () => {
    const node = await makeNode('a', { unified_job_template: 31 })
    await app.store.db.delete(jobTemplates).where(eq(jobTemplates.id, 31))
    expect((await app.call('GET', nodePath(node.id))).body.unified_job_template).toBeNull()
    const view = await app.call('GET', `/api/v2/workflow_job_templates/${workflow}/launch/`)
    expect(view.body.node_templates_missing).toEqual([node.id])
  })

  test('prompts that a template does not take any more are told before a launch', async () => {
    const node = await makeNode('a', { unified_job_template: 32, limit: 'web' })
    const changed = { ask_limit_on_launch: false, ask_scm_branch_on_launch: false }
    expect((await app.call('PATCH', '/api/v2/job_templates/32/', changed)).status).toBe(200)
    const view = await app.call('GET', `/api/v2/workflow_job_templates/${workflow}/launch/`)
    expect(view.body.node_prompts_rejected).toEqual([node.id])
    await app.call('PATCH', '/api/v2/job_templates/32/', { ask_limit_on_launch: true })
  })
})

describe('runs', () => {
  test('while one is active its template, it and its jobs stay', async () => {
    await makeNode('a', { unified_job_template: 16 })
    const run = await app.call('POST', `/api/v2/workflow_job_templates/${workflow}/launch/`, {})
    const id: number = run.body.workflow_job
    await app.store.db.update(unifiedJobs).set({ workflowJobId: id }).where(eq(unifiedJobs.id, 54))
    expect((await app.call('DELETE', `/api/v2/workflow_job_templates/${workflow}/`)).body).toEqual({
      error: 'Resource is being used by running jobs.',
      active_jobs: [{ id, type: 'workflow_job' }],
    })
    expect((await app.call('DELETE', `/api/v2/workflow_jobs/${id}/`)).body).toEqual({
      detail: 'Cannot delete running job resource.',
    })
    expect((await app.call('DELETE', '/api/v2/jobs/54/')).body).toEqual({
      detail: 'Cannot delete job resource when associated workflow job is running.',
    })
    const path = `/api/v2/workflow_jobs/${id}/cancel/`
    expect((await app.call('GET', path)).body).toEqual({ can_cancel: true, job_explanation: '' })
    expect((await app.call('POST', path)).status).toBe(202)
    expect((await app.call('POST', path)).status).toBe(405)
    expect((await app.call('DELETE', `/api/v2/workflow_jobs/${id}/`)).status).toBe(204)
  })

  test('a key makes one of them only', async () => {
    const headers = { 'Idempotency-Key': 'once' }
    const path = `/api/v2/workflow_job_templates/${workflow}/launch/`
    const answers = await Promise.all([1, 2, 3].map(() => app.call('POST', path, {}, { headers })))
    expect(new Set(answers.map(({ body }) => body.workflow_job)).size).toBe(1)
  })
})
