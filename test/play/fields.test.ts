/** Every field of a launch has its effect in the pod. All jobs run at once; each test looks at one. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { type Catalog, inNamespace, launch, localHost, makeCatalog, makeTemplate } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { PodRecord } from '../setup/pods.ts'

const facts = `- hosts: all
  gather_facts: false
  tasks:
    - set_fact: {remembered: since yesterday, cacheable: true}
`
const told = `- hosts: all
  gather_facts: false
  tasks:
    - name: first
      debug: {msg: "forks {{ ansible_forks }}, user {{ ansible_user | default('none') }}, greeting {{ greeting | default('none') }}, remembered {{ remembered | default('nothing') }}"}
      tags: one
    - name: second
      copy: {content: "new\\n", dest: /tmp/scanned}
      tags: two
      diff: "{{ omit }}"
    - name: third
      command: sleep {{ seconds | default(0) }}
      tags: three
`
const handled = `- hosts: all
  gather_facts: false
  tasks:
    - name: changes
      command: echo changed
      notify: handler
    - name: fails
      command: 'false'
  handlers:
    - name: handler
      debug: {msg: the handler ran}
`

interface Job extends Record<string, unknown> {
  id: number
  status: string
  job_args: string
  summary_fields: Record<string, Record<string, unknown> & { count?: number }>
}

const undo = new Undo()
let mayfly: Mayfly
let catalog: Catalog
let pods: PodRecord
let otherGroup: number
let otherInventory: number
let otherEnvironment: number
let credential: number
let label: number
const jobs = new Map<string, Promise<{ job: Job; text: string }>>()

beforeAll(async () => {
  mayfly = await startMayfly()
  undo.add(() => mayfly.stop())
  pods = await PodRecord.open(mayfly.stack, mayfly.kubernetesNamespace)
  undo.add(async () => pods.close())
  const files = { 'told.yml': told, 'facts.yml': facts, 'handled.yml': handled }
  catalog = await makeCatalog(mayfly, { files, hosts: ['h1', 'h2'], group: { max_concurrent_jobs: 8 } })
  const override = { pod_spec_override: inNamespace(mayfly) }
  const { organization } = catalog
  const types = await mayfly.get<{ results: { id: number }[] }>('/credential_types/?namespace=ssh')
  otherGroup = (await mayfly.post('/instance_groups/', { name: 'other', is_container_group: true, ...override })).id
  otherInventory = (await mayfly.post('/inventories/', { name: 'other', organization })).id
  await mayfly.post('/hosts/', { name: 'h3', inventory: otherInventory, variables: localHost })
  const image = { name: 'other', image: 'mayfly.local/ee:latest', pull: 'missing' }
  otherEnvironment = (await mayfly.post('/execution_environments/', image)).id
  const inputs = { username: 'alice' }
  const machine = { name: 'alice', organization, credential_type: types.results[0]?.id, inputs }
  credential = (await mayfly.post('/credentials/', machine)).id
  label = (await mayfly.post('/labels/', { name: 'urgent', organization })).id
  await launchAll()
})
afterAll(() => undo.all())

const flags = [
  ...['diff_mode', 'variables', 'limit', 'tags', 'skip_tags', 'job_type', 'verbosity', 'inventory', 'credential'],
  ...['execution_environment', 'labels', 'forks', 'job_slice_count', 'timeout', 'instance_groups'],
].map((name) => `ask_${name}_on_launch`)

/** Starts a job and follows it to its end; tests await theirs by name. */
function start(name: string, make: () => Promise<number>): void {
  const running = (async () => {
    const id = await make()
    const wait = { what: `the job with ${name} to end`, seconds: 540, pause: mayfly.endOf(id) }
    const job = await until(wait, async () => {
      const latest = await mayfly.get<Job>(`/jobs/${id}/`)
      return latest.finished ? latest : undefined
    })
    const { text } = await mayfly.api('GET', `/jobs/${job.id}/stdout/?format=txt`)
    return { job, text }
  })()
  running.catch(() => {})
  jobs.set(name, running)
}

async function launchAll(): Promise<void> {
  const asks = Object.fromEntries(flags.map((flag) => [flag, true]))
  const fields = { allow_simultaneous: true, ...asks }
  const template = await makeTemplate(mayfly, catalog, 'told.yml', fields)
  const prompts: Record<string, Record<string, unknown>> = {
    none: {},
    many: {
      limit: 'h1',
      verbosity: 2,
      diff_mode: true,
      forks: 3,
      extra_vars: { greeting: 'hello' },
      credentials: [credential],
      instance_groups: [otherGroup],
      labels: [label],
      execution_environment: otherEnvironment,
    },
    tags: { job_tags: 'one,two', skip_tags: 'two' },
    check: { job_type: 'check', inventory: otherInventory },
    timeout: { timeout: 1, limit: 'h1', extra_vars: { seconds: 60 } },
  }
  for (const [name, body] of Object.entries(prompts)) start(name, () => launch(mayfly, template, body))
  const of = async (playbook: string, more: Record<string, unknown>) =>
    await launch(mayfly, await makeTemplate(mayfly, catalog, playbook, { allow_simultaneous: true, ...more }))
  start('start_at_task', () => of('told.yml', { start_at_task: 'second' }))
  start('force_handlers', () => of('handled.yml', { force_handlers: true, become_enabled: true }))
  start('no force_handlers', () => of('handled.yml', {}))
  start('facts', () => of('facts.yml', { use_fact_cache: true, limit: 'h1' }))
}

async function result(name: string): Promise<{ job: Job; text: string }> {
  const running = jobs.get(name)
  if (!running) throw new Error(`no job ${name}`)
  return await running
}

const recap = (text: string) => [...text.matchAll(/^(h\d) +: ok=(\d+)/gm)].map(([, host, ok]) => `${host}:${ok}`)

test('no prompt: the template as it is', async () => {
  const { job, text } = await result('none')
  expect(job).toMatchObject({ status: 'successful', instance_group: catalog.group, job_type: 'run' })
  expect(recap(text)).toEqual(['h1:3', 'h2:3'])
  expect(text).toContain('forks 5, user root, greeting none, remembered nothing')
  expect(text).not.toContain('+new')
})

test('limit, verbosity, diff_mode, forks, extra_vars, credentials, instance_groups, labels, execution_environment', async () => {
  const { job, text } = await result('many')
  expect(job).toMatchObject({
    status: 'successful',
    instance_group: otherGroup,
    execution_environment: otherEnvironment,
    summary_fields: { labels: { count: 1, results: [{ name: 'urgent' }] } },
  })
  expect(recap(text)).toEqual(['h1:3'])
  for (const part of ['"cmd": ["sleep", "0"]', '+new', 'forks 3, user alice, greeting hello'])
    expect(text).toContain(part)
  const images = (await pods.seenOf(job.id)).flatMap((pod) => pod.spec?.containers.map(({ image }) => image) ?? [])
  expect([...new Set(images)]).toEqual(['mayfly.local/ee:latest'])
})

test('job_tags and skip_tags', async () => {
  const { text } = await result('tags')
  expect(recap(text)).toEqual(['h1:1', 'h2:1'])
  expect(text).toContain('TASK [first]')
})

test('job_type and inventory: a check changes nothing', async () => {
  const { job, text } = await result('check')
  expect(job).toMatchObject({ status: 'successful', job_type: 'check' })
  expect(text).toMatch(/h3 +: ok=2 +changed=1 +unreachable=0 +failed=0 +skipped=1/)
})

test('timeout', async () => {
  const explained = { status: 'failed', job_explanation: 'Job terminated due to timeout' }
  expect((await result('timeout')).job).toMatchObject(explained)
})

test('start_at_task', async () => {
  expect(recap((await result('start_at_task')).text)).toEqual(['h1:2', 'h2:2'])
})

test('force_handlers and become_enabled', async () => {
  const { job, text } = await result('force_handlers')
  expect(text).toContain('the handler ran')
  expect(job.job_args).toContain('--become')
  expect((await result('no force_handlers')).text).not.toContain('the handler ran')
})

test('use_fact_cache: facts of one job are there in the next', async () => {
  await result('facts')
  const template = await makeTemplate(mayfly, catalog, 'told.yml', { use_fact_cache: true, job_tags: 'one' })
  start('cached', () => launch(mayfly, template))
  const { text } = await result('cached')
  expect(text).toContain('remembered since yesterday')
  expect(text).toContain('remembered nothing')
})
