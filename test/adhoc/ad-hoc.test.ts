/** Ad hoc commands run in a pod of their group, report what they did, and leave nothing behind. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { type Catalog, makeCatalog } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { PodRecord } from '../setup/pods.ts'
import { expectNothingLeft } from '../setup/tidy.ts'

interface Command {
  id: number
  status: string
  limit: string
  name: string
  execution_node: string
  controller_node: string
  job_args: string
  job_explanation: string
  result_traceback: string
  event_processing_finished: boolean
  host_status_counts: Record<string, number>
  summary_fields: { instance_group?: { id: number } }
}

interface Event {
  counter: number
  event: string
  host_name: string
  host: number | null
  start_line: number
  end_line: number
}

const undo = new Undo()
let mayfly: Mayfly
let catalog: Catalog
let pods: PodRecord
let credential: number

beforeAll(async () => {
  mayfly = await startMayfly()
  undo.add(() => mayfly.stop())
  pods = await PodRecord.open(mayfly.stack, mayfly.kubernetesNamespace)
  undo.add(async () => pods.close())
  catalog = await makeCatalog(mayfly, { files: { 'none.yml': '- hosts: all\n' }, hosts: ['web1', 'web2'] })
  // The only group: neither the inventory nor a template has one.
  await mayfly.post(`/organizations/${catalog.organization}/instance_groups/`, { id: catalog.group })
  const types = await mayfly.get<{ results: { id: number }[] }>('/credential_types/?kind=ssh')
  const body = { name: 'machine', organization: catalog.organization, credential_type: types.results[0]?.id }
  credential = (await mayfly.post('/credentials/', { ...body, inputs: { username: 'somebody' } })).id
})
afterAll(() => undo.all())

async function command(fields: Record<string, unknown>): Promise<number> {
  return (await mayfly.post('/ad_hoc_commands/', { inventory: catalog.inventory, credential, ...fields })).id
}

async function ended(id: number): Promise<Command> {
  await mayfly.ended(`/ad_hoc_commands/${id}/`)
  return await mayfly.get<Command>(`/ad_hoc_commands/${id}/`)
}

const stdoutOf = async (id: number) => (await mayfly.api('GET', `/ad_hoc_commands/${id}/stdout/?format=txt`)).text

test('rows 11, 12, 24, 49: a command runs in a pod of the only group of its organization, reports result and events, and its pod is gone', async () => {
  const id = await command({ module_name: 'shell', module_args: 'echo "from $(hostname)"', extra_vars: 'one: 1' })
  const job = await ended(id)
  expect(job).toMatchObject({
    status: 'successful',
    name: 'shell',
    event_processing_finished: true,
    host_status_counts: { changed: 2 },
    summary_fields: { instance_group: { id: catalog.group } },
  })
  expect(job.controller_node).not.toBe('')
  const [pod] = await pods.seenOf(id)
  expect(pod?.metadata?.namespace).toBe(mayfly.kubernetesNamespace)
  const output = await stdoutOf(id)
  expect(output).toContain(`from ${pod?.metadata?.name}`)
  expect(output).toMatch(/web1 \| CHANGED \| rc=0 >>/)
  expect(output).toMatch(/web2 \| CHANGED \| rc=0 >>/)

  const { results: events } = await mayfly.get<{ results: Event[] }>(
    `/ad_hoc_commands/${id}/events/?order_by=counter&page_size=200`,
  )
  expect(events.map(({ counter }) => counter)).toEqual(events.map((_, index) => index + 1))
  expect(events.map(({ start_line }) => start_line)).toEqual([
    0,
    ...events.slice(0, -1).map(({ end_line }) => end_line),
  ])
  const results = events.filter(({ event }) => event === 'runner_on_ok')
  expect(results.map(({ host_name }) => host_name).toSorted()).toEqual(['web1', 'web2'])
  expect(results.every(({ host }) => host !== null)).toBe(true)
  await pods.until(`no pod of command ${id}`, () => !pods.has(id))

  // Below the host it ran on, and nowhere among the jobs of playbooks.
  const host = results[0]?.host
  expect(await mayfly.get(`/hosts/${host}/ad_hoc_commands/`)).toMatchObject({ count: 1, results: [{ id }] })
  expect(await mayfly.get(`/hosts/${host}/job_events/`)).toMatchObject({ count: 0 })
  expect(await mayfly.get(`/hosts/${host}/`)).toMatchObject({ last_job: null })
})

test('what fails is failed, with limit, become, check mode and a module without arguments', async () => {
  const failing = await command({ module_args: 'ls /there/is/nothing', limit: 'web2', verbosity: 1, forks: 3 })
  const pinging = await command({ module_name: 'ping', limit: 'web1' })
  const checking = await command({
    module_args: 'touch /tmp/never',
    job_type: 'check',
    become_enabled: true,
    diff_mode: true,
  })
  const [failed, pinged, checked] = await Promise.all([ended(failing), ended(pinging), ended(checking)])
  expect(failed).toMatchObject({ status: 'failed', host_status_counts: { failures: 1 } })
  expect(failed.job_args).toContain('"--forks=3", "-v", "web2"')
  expect(await stdoutOf(failing)).toMatch(/web2 \| FAILED \| rc=2 >>/)
  expect(await stdoutOf(failing)).not.toContain('web1')
  expect(pinged.status, await stdoutOf(pinging)).toBe('successful')
  expect(await stdoutOf(pinging)).toContain('"ping": "pong"')
  expect(checked.job_args).toContain('"--check", "-u", "somebody", "--become", "--diff"')
})

test('row 22: cancelling a running command ends it and its pod', async () => {
  const id = await command({ module_args: 'sleep 300', limit: 'web1' })
  await until({ what: 'the command to run', seconds: 180, everyMs: 100 }, async () => {
    const { count } = await mayfly.get<{ count: number }>(`/ad_hoc_commands/${id}/events/?event=runner_on_start`)
    return count > 0
  })
  const path = `/ad_hoc_commands/${id}/cancel/`
  expect(await mayfly.get(path)).toEqual({ can_cancel: true })
  expect((await mayfly.api('POST', path)).status).toBe(202)
  expect(await ended(id)).toMatchObject({ status: 'canceled' })
  await pods.until(`no pod of command ${id}`, () => !pods.has(id))
  expect((await mayfly.api('POST', path)).status).toBe(405)
  expect((await mayfly.api('DELETE', `/ad_hoc_commands/${id}/`)).status).toBe(204)
  expect((await mayfly.api('GET', `/ad_hoc_commands/${id}/`)).status).toBe(404)
})

test('the worker is killed while a command runs: it runs once, to its end', async () => {
  const id = await command({ module_name: 'shell', module_args: 'sleep 4; date +%s%N', limit: 'web1' })
  await until({ what: 'the command to run', seconds: 180, everyMs: 50 }, async () => {
    const { count } = await mayfly.get<{ count: number }>(`/ad_hoc_commands/${id}/events/?event=runner_on_start`)
    return count > 0
  })
  await mayfly.restart('worker')
  expect(await ended(id)).toMatchObject({ status: 'successful' })
  expect((await stdoutOf(id)).match(/CHANGED/g)).toHaveLength(1)
  await pods.until(`no pod of command ${id}`, () => pods.statesOf(id).length > 0 && !pods.has(id))
  expect(new Set(pods.statesOf(id).map((pod) => pod.metadata?.name)).size).toBe(1)
  await expectNothingLeft(mayfly)
})
