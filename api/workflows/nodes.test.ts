import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openAnswers } from '../../store/launch/saved-answers.ts'
import { workflowJobNodes } from '../../store/schema/workflow-jobs.ts'
import { workflowJobTemplateNodes } from '../../store/schema/workflows.ts'
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

describe('nodes', () => {
  test('have an identifier of their own when they are given none', async () => {
    const nodes = [await app.make('workflow_job_template_nodes', { workflow_job_template: workflow })]
    nodes.push(await app.make(`workflow_job_templates/${workflow}/workflow_nodes`, { identifier: '' }))
    const [one, other] = nodes.map(({ identifier }) => identifier)
    expect(one).toMatch(/^[0-9a-f-]{36}$/)
    expect(other).toMatch(/^[0-9a-f-]{36}$/)
    expect(one).not.toBe(other)
  })

  test('stay in their workflow', async () => {
    const node = await makeNode('a')
    const { body } = await app.call('PATCH', nodePath(node.id), { workflow_job_template: 33, limit: 'x' })
    // Without a template there is nothing that could take a limit.
    expect(body).toMatchObject({ workflow_job_template: workflow, limit: null })
  })

  test.each([
    [12, { limit: 'x' }, { limit: ['Field is not allowed on launch.'] }],
    [12, { extra_data: { a: 1 } }, { extra_data: ['Field is not allowed on launch.'] }],
    [33, { scm_branch: 'x' }, { scm_branch: ['Field is not configured to prompt on launch.'] }],
    [32, { scm_branch: 'x' }, { scm_branch: ['Project does not allow override of branch.'] }],
    [32, { extra_data: '[1]' }, { extra_data: [expect.stringContaining('Cannot parse as JSON')] }],
    [
      22,
      { extra_data: { s_text: 'far too long' } },
      { variables_needed_to_start: [expect.stringContaining("'s_text'")] },
    ],
    [99999, {}, { unified_job_template: ['Invalid pk "99999" - object does not exist.'] }],
  ])('of template %i with %j are refused', async (unified_job_template, prompts, expected) => {
    const body = { workflow_job_template: workflow, unified_job_template, ...prompts }
    expect((await app.call('POST', '/api/v2/workflow_job_template_nodes/', body)).body).toEqual(expected)
  })

  test('may lack a required answer, which the launch may still bring; one that nobody can bring forbids the launch', async () => {
    const node = await makeNode('asks', { unified_job_template: 22 })
    const launch = (body = {}) => app.call('POST', `/api/v2/workflow_job_templates/${workflow}/launch/`, body)
    expect((await launch()).body).toEqual({
      variables_needed_to_start: ["'s_text' value missing for node asks (rec-survey)"],
    })
    await app.call('PATCH', nodePath(node.id), { extra_data: { s_text: 'abc' } })
    expect((await launch()).status).toBe(201)
  })

  test('take credentials that their template asks for, one of each type, none that asks', async () => {
    const attach = (node: number, id: number) =>
      app.call('POST', `${nodePath(node)}credentials/`, { id }).then(({ status, body }) => body.msg ?? status)
    const empty = await makeNode('empty')
    const plain = await makeNode('plain', { unified_job_template: 16 })
    const update = await makeNode('update', { unified_job_template: 12 })
    const asks = await makeNode('asks', { unified_job_template: 32 })
    expect(await attach(empty.id, 17)).toBe('Cannot assign credential when related template is null.')
    expect(await attach(update.id, 17)).toBe('Related template cannot accept credentials on launch.')
    expect(await attach(plain.id, 17)).toBe('Related template is not configured to accept credentials on launch.')
    expect(await attach(asks.id, 8)).toBe(
      'Credential that requires user input on launch cannot be used in saved launch configuration.',
    )
    expect(await attach(asks.id, 7)).toBe('Related template already uses rec-machine credential.')
    expect(await attach(asks.id, 17)).toBe(204)
    const { results } = (await app.call('GET', `${nodePath(asks.id)}credentials/`)).body
    expect(results.map(({ id }: { id: number }) => id)).toEqual([17])
  })
})

describe('answers to password questions', () => {
  let template: number
  beforeAll(async () => {
    template = (await app.make('job_templates', { name: 'secretive', project: 15, inventory: 3, playbook: 'ok.yml' }))
      .id
    const question = { question_name: 'T', variable: 'token', type: 'password', required: false }
    const spec = { name: '', description: '', spec: [question] }
    await app.call('POST', `/api/v2/job_templates/${template}/survey_spec/`, spec)
    await app.call('PATCH', `/api/v2/job_templates/${template}/`, {
      survey_enabled: true,
      ask_variables_on_launch: true,
    })
  })
  const stored = async (id: number) => {
    const [row] = await app.store.db
      .select({ extraData: workflowJobTemplateNodes.extraData })
      .from(workflowJobTemplateNodes)
      .where(eq(workflowJobTemplateNodes.id, id))
    return row?.extraData ?? {}
  }

  test('rest sealed, are never shown, and are kept by the placeholder', async () => {
    const node = await makeNode('a', { unified_job_template: template, extra_data: { token: 'hunter2', n: 1 } })
    expect(node.extra_data).toEqual({ token: '$encrypted$', n: 1 })
    expect(JSON.stringify(await stored(node.id))).not.toContain('hunter2')
    const patched = await app.call('PATCH', nodePath(node.id), { extra_data: { token: '$encrypted$', n: 2 } })
    expect(patched.body.extra_data).toEqual({ token: '$encrypted$', n: 2 })
    expect(openAnswers(app.deps.keyring, template, await stored(node.id))).toEqual({ token: 'hunter2', n: 2 })

    const run = await app.call('POST', `/api/v2/workflow_job_templates/${workflow}/launch/`, {})
    const { body } = await app.call('GET', `/api/v2/workflow_jobs/${run.body.workflow_job}/workflow_nodes/`)
    expect(body.results[0].extra_data).toEqual({ token: '$encrypted$', n: 2 })
    const [copy] = await app.store.db
      .select()
      .from(workflowJobNodes)
      .where(eq(workflowJobNodes.workflowJobId, run.body.workflow_job))
    expect(openAnswers(app.deps.keyring, template, copy?.extraData ?? {})).toEqual({ token: 'hunter2', n: 2 })
  })

  test('go when the node gets another template', async () => {
    const node = await makeNode('a', { unified_job_template: template, extra_data: { token: 'hunter2', n: 1 } })
    const { body } = await app.call('PATCH', nodePath(node.id), { unified_job_template: 32 })
    expect(body.extra_data).toEqual({ n: 1 })
  })

  test.each([
    [{ token: '$encrypted$' }, 'Provided variable token has no database value to replace with.'],
    [{ other: '$encrypted$' }, '"$encrypted$ is a reserved keyword, may not be used for other."'],
    [{ token: '$mayfly$v1$x' }, 'token: A value may not begin with $mayfly$v1$.'],
  ])('%j is refused', async (extra_data, message) => {
    const body = { workflow_job_template: workflow, unified_job_template: template, extra_data }
    const answer = await app.call('POST', '/api/v2/workflow_job_template_nodes/', body)
    expect([answer.status, answer.body]).toEqual([400, { extra_data: [message] }])
  })
})
