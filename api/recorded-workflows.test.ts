import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TestAnswer, TestApp } from './testing.ts'
import { asAwx, awxKeys } from './testing-additions.ts'
import { nobody } from './testing-domain.ts'
import { openRecordedWorkflows } from './testing-workflows.ts'

/** One request that AWX 24.6.1 answered, and what it answered (top-level `keys` where only the shape is compared). */
interface Recorded {
  method: string
  path: string
  send?: unknown
  as?: 'nobody'
  note?: string
  status: number
  allow: string
  answer?: unknown
  keys?: string[]
  count?: number
}

/** Keys of one object as AWX 24.6.1 answered it. */
interface Shape {
  keys: string[]
  related: string[]
  summary_fields: Record<string, string[] | null>
}

const read = (file: string) => JSON.parse(readFileSync(new URL(`./fixtures/recorded/${file}`, import.meta.url), 'utf8'))
/** Fields as another resource has them. */
interface Like {
  same_as: string
  more: string[]
  lacks: string[]
}
/** OPTIONS of what is below an object, with the names of its fields. */
const below: { path: string; allow: string; name: string; actions: Record<string, string[] | Like> }[] =
  read('workflow-options.json')
const requests: Recorded[] = read('workflow-requests.json')
const shapes: Record<string, Shape> = read('workflow-shapes.json')

/** Links to what does not exist here yet; they come with those resources. */
const later = new Set(['access_list', 'activity_stream', 'object_roles', 'notifications'])
/** What we offer beyond AWX. */
const beyond = new Set(['pause', 'resume', 'continue', 'dry_run', 'graph', 'retry', 'skip'])

let app: TestApp
beforeAll(async () => {
  app = await openRecordedWorkflows()
})
afterAll(() => app.close())

describe('requests recorded from AWX 24.6.1', () => {
  test.each(requests.map((request) => [title(request), request] as const))('%s', async (_, recorded) => {
    const answer = await app.call(recorded.method, recorded.path, recorded.send, recorded.as ? { as: nobody } : {})
    check(answer, recorded)
  })
})

function title({ method, path, send, as, note }: Recorded): string {
  return `${method} ${path} ${JSON.stringify(send) ?? ''}${as ? ' by nobody in particular' : ''} ${note ?? ''}`
}

function check(answer: TestAnswer, { status, allow, answer: expected, keys, count }: Recorded): void {
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status })
  expect(answer.headers.get('allow')).toBe(allow)
  if (keys) expect(awxKeys(answer.body).toSorted()).toEqual(keys)
  if (count !== undefined) expect(answer.body.count).toBe(count)
  if (expected !== undefined && expected !== null) expect(asAwx(answer.body)).toEqual(expected)
}

function expectShape(name: string, body: Record<string, Record<string, unknown>>): void {
  const shape = shapes[name] ?? expect.fail(`no shape ${name}`)
  expect(awxKeys(body).toSorted()).toEqual(shape.keys)
  const links = awxKeys(body.related ?? {}).filter((link) => !beyond.has(link) && !later.has(link))
  expect(links.toSorted()).toEqual(shape.related.filter((link) => !later.has(link)))
  for (const [key, keys] of Object.entries(shape.summary_fields)) {
    if (key === 'object_roles') continue
    const value = body.summary_fields?.[key]
    const entry = Array.isArray(value) ? value[0] : value
    if (keys) expect([key, Object.keys(entry ?? {}).toSorted()]).toEqual([key, keys])
    else expect(body.summary_fields).toHaveProperty(key)
  }
  const known = Object.keys(shape.summary_fields)
  expect(Object.keys(body.summary_fields ?? {}).filter((key) => !known.includes(key))).toEqual([])
}

describe('objects have the keys AWX gives them', () => {
  test.each([
    ['workflow_job_template', '/api/v2/workflow_job_templates/33/'],
    ['workflow_job_template_node', '/api/v2/workflow_job_template_nodes/8/'],
    ['approval node', '/api/v2/workflow_job_template_nodes/4/'],
    ['workflow_job', '/api/v2/workflow_jobs/57/'],
    ['sliced workflow_job', '/api/v2/workflow_jobs/74/'],
    ['workflow_job_node', '/api/v2/workflow_job_nodes/16/'],
    ['workflow_approval', '/api/v2/workflow_approvals/65/'],
    ['pending workflow_approval', '/api/v2/workflow_approvals/66/'],
    ['label', '/api/v2/labels/1/'],
    ['approval template', '/api/v2/workflow_approval_templates/34/'],
  ])('%s at %s', async (name, path) => {
    const { body } = await app.call('GET', path)
    expectShape(name, body)
    for (const link of Object.values(body.related) as string[]) {
      if (link !== '') expect([link, (await app.call('GET', link)).status]).toEqual([link, 200])
    }
  })

  test('nodes show their edges, what they run, and prompts', async () => {
    const { body } = await app.call('GET', '/api/v2/workflow_job_template_nodes/8/')
    expect(body).toMatchObject({
      related: { unified_job_template: '/api/v2/job_templates/32/' },
      extra_data: { q: 1 },
      ...{ job_tags: 't1', limit: 'h2', diff_mode: true, verbosity: 1, forks: 3, skip_tags: null, inventory: null },
      ...{ success_nodes: [9], failure_nodes: [], always_nodes: [], identifier: 'n1' },
    })
    const approval = await app.call('GET', '/api/v2/workflow_job_template_nodes/4/')
    expect(approval.body.summary_fields.unified_job_template).toEqual({
      ...{ id: 34, name: 'rec-approval', description: 'ok?', unified_job_type: 'workflow_approval', timeout: 0 },
    })
  })
})

describe('answers of launches have the keys AWX gives them', () => {
  test('launch', async () => {
    const body = { extra_vars: { who: 'me' }, limit: 'h1' }
    const answer = await app.call('POST', '/api/v2/workflow_job_templates/33/launch/', body)
    expect(answer.status).toBe(201)
    expect(answer.headers.get('location')).toBe(`/api/v2/workflow_jobs/${answer.body.workflow_job}/`)
    expect(answer.body).toMatchObject({
      ...{ status: 'pending', limit: 'h1', scm_branch: null, extra_vars: '{"wv": 1, "who": "me"}', ignored_fields: {} },
      ...{ allow_simultaneous: true, launch_type: 'manual', unified_job_template: 33 },
    })
    expectShape('launch', answer.body)
  })

  test('relaunch takes prompts, nodes and edges of the run', async () => {
    const { status, body } = await app.call('POST', '/api/v2/workflow_jobs/57/relaunch/', {})
    expect([status, body.launch_type, body.limit]).toEqual([201, 'relaunch', 'h1'])
    expectShape('relaunch', body)
    const { results } = (await app.call('GET', `${body.url}workflow_nodes/`)).body
    expect(results).toHaveLength(7)
    const [first] = results
    expect(first).toMatchObject({ identifier: 'a', job: null })
    expect(results.find(({ id }: { id: number }) => id === first.success_nodes[0])?.identifier).toBe('b')
  })

  test.each([
    ['33', { ask_limit_on_launch: true, can_start_without_user_input: true, variables_needed_to_start: [] }],
    ['35', { ask_limit_on_launch: false, can_start_without_user_input: false, variables_needed_to_start: ['w_text'] }],
  ])('launch view of %s', async (id, expected) => {
    const { body } = await app.call('GET', `/api/v2/workflow_job_templates/${id}/launch/`)
    expect(body).toMatchObject(expected)
    expect(awxKeys(body).toSorted()).toEqual(launchViewKeys)
    expect(awxKeys(body.defaults).toSorted()).toEqual([
      ...['extra_vars', 'inventory', 'job_tags', 'limit', 'scm_branch', 'skip_tags'],
    ])
  })
})

const launchViewKeys = [
  ...['ask_inventory_on_launch', 'ask_labels_on_launch', 'ask_limit_on_launch', 'ask_scm_branch_on_launch'],
  ...['ask_skip_tags_on_launch', 'ask_tags_on_launch', 'ask_variables_on_launch', 'can_start_without_user_input'],
  ...['defaults', 'node_prompts_rejected', 'node_templates_missing', 'survey_enabled', 'variables_needed_to_start'],
  'workflow_job_template_data',
]

describe('OPTIONS below objects', () => {
  test.each(below.map((one) => [one.path, one] as const))('%s', async (path, { allow, name, actions }) => {
    const { status, headers, body } = await app.call('OPTIONS', path)
    expect([status, headers.get('allow'), body.name]).toEqual([200, allow, name])
    expect(Object.keys(body.actions).toSorted()).toEqual(Object.keys(actions).toSorted())
    for (const [verb, fields] of Object.entries(actions)) {
      const known = Array.isArray(fields) ? fields : await fieldsLike(fields)
      expect([verb, awxKeys(body.actions[verb]).toSorted()]).toEqual([verb, known.toSorted()])
    }
  })

  /** Names of the fields of another resource (`labels.POST`), with those that come and go here. */
  async function fieldsLike({ same_as, more, lacks }: Like): Promise<string[]> {
    const [resource = '', verb = ''] = same_as.split('.')
    const { body } = await app.call('OPTIONS', `/api/v2/${resource}/`)
    const names = [...new Set([...awxKeys(body.actions[verb]), ...more])]
    return names.filter((name) => !lacks.includes(name))
  }
})

describe('lists', () => {
  test.each([
    ['/api/v2/unified_jobs/?unified_job_node__workflow_job=57', [47]],
    ['/api/v2/unified_jobs/?type=workflow_approval&order_by=id', [64, 65, 66]],
    ['/api/v2/workflow_approvals/?status=pending', [66]],
    ['/api/v2/workflow_jobs/57/workflow_nodes/?job__name=rec-ok', [1]],
    ['/api/v2/workflow_job_template_nodes/?identifier=n1&workflow_job_template=35', [8]],
    ['/api/v2/workflow_job_template_nodes/?unified_job_template__name=rec-git&id__lt=1000', [7]],
    ['/api/v2/workflow_job_template_nodes/?success_nodes=3', [4]],
    ['/api/v2/workflow_job_template_nodes/?search=approval&id__lt=1000', [4]],
    ['/api/v2/unified_job_templates/?name__startswith=rec-wf&order_by=id', [33, 35]],
    ['/api/v2/unified_job_templates/?type=workflow_job_template,project&search=git', [12]],
    ['/api/v2/workflow_job_templates/33/workflow_nodes/?success_nodes__isnull=false', [1, 2, 4]],
    ['/api/v2/workflow_job_template_nodes/1/always_nodes/', [7]],
    ['/api/v2/job_templates/16/slice_workflow_jobs/', [74]],
    ['/api/v2/workflow_approval_templates/34/approvals/', [64, 65, 66]],
  ])('%s', async (path, ids) => {
    const { status, body } = await app.call('GET', path)
    expect({ status, ids: body.results?.map(({ id }: { id: number }) => id) }).toEqual({ status: 200, ids })
  })

  test('without the slash at the end the address leads on to the one with it', async () => {
    const answer = await app.call('GET', '/api/v2/unified_jobs?order_by=finished&unified_job_node__workflow_job=57')
    expect([answer.status, answer.headers.get('location')]).toEqual([
      301,
      '/api/v2/unified_jobs/?order_by=finished&unified_job_node__workflow_job=57',
    ])
  })
})
