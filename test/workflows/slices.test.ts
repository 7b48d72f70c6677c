/** Sliced jobs and workflows in a group of their organization: rows 6 to 9 and 39 of the acceptance table, and what happens to one slice alone. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { Operator } from '../operator/operator.ts'
import { type Catalog, makeCatalog } from '../setup/catalog.ts'
import { clusterAdmin } from '../setup/cluster-admin.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { jobOf, PodRecord } from '../setup/pods.ts'
import { countedQuota, untilNoPodCounts } from '../setup/quota.ts'
import { Workflows } from '../setup/workflows.ts'

const slices = 20
const room = 3

interface Launched {
  workflow_job?: number
  job?: number
  type: string
  is_sliced_job?: boolean
  job_template?: number
  workflow_job_template?: number | null
}
interface Page<Item> {
  count: number
  results: Item[]
}
interface Slice {
  id: number
  status: string
  job_slice_number: number
  job_slice_count: number
  instance_group: number | null
  execution_node: string
  controller_node: string
  event_processing_finished: boolean
  job_explanation: string
  launch_type: string
}

const undo = new Undo()
let mayfly: Mayfly
let catalog: Catalog
let workflows: Workflows
let operator: Operator
let pods: PodRecord

const hosts = Array.from({ length: slices }, (_, index) => `h${String(index + 1).padStart(2, '0')}`)
const quick = '- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: "on {{ inventory_hostname }}"}}]\n'
/** Holds its slice until somebody ends it. */
const holding = `${quick.trimEnd().slice(0, -1)}, {pause: {seconds: 300}}]\n`

beforeAll(async () => {
  mayfly = await startMayfly()
  undo.add(() => mayfly.stop())
  workflows = await Workflows.open(mayfly)
  undo.add(() => workflows.close())
  operator = await Operator.open(mayfly)
  undo.add(() => operator.close())
  catalog = await makeCatalog(mayfly, { files: { 'quick.yml': quick, 'slices.yml': holding }, hosts })
  // The only group is the organization's.
  await mayfly.post(`/organizations/${catalog.organization}/instance_groups/`, { id: catalog.group })
  const namespace = mayfly.kubernetesNamespace
  await countedQuota(mayfly.stack, namespace, 'three', { pods: String(room) })
  pods = await PodRecord.open(mayfly.stack, namespace)
  undo.add(async () => pods.close())
})
afterAll(() => undo.all())

/** A job template without a group of its own. */
async function template(playbook: string, fields: Record<string, unknown> = {}): Promise<number> {
  const { project, inventory } = catalog
  const body = { name: `${playbook} ${crypto.randomUUID()}`, project, inventory, playbook, allow_simultaneous: true }
  return (await mayfly.post('/job_templates/', { ...body, ...fields })).id
}

const slicesOf = async (run: number): Promise<Slice[]> => {
  const nodes = await workflows.nodes(run)
  const jobs = [...nodes.values()].flatMap(({ jobId }) => jobId ?? [])
  return await Promise.all(jobs.map((job) => mayfly.get<Slice & Record<string, unknown>>(`/jobs/${job}/`)))
}

test('rows 6 and 39: a job and a workflow of an organization run in its group', async () => {
  const quickly = await template('quick.yml', { limit: 'h01' })
  const wfjt = await mayfly.post('/workflow_job_templates/', { name: 'in a group', organization: catalog.organization })
  const node = (identifier: string) =>
    mayfly.post(`/workflow_job_templates/${wfjt.id}/workflow_nodes/`, { unified_job_template: quickly, identifier })
  const [first, second] = [await node('first'), await node('second')]
  await mayfly.post(`/workflow_job_template_nodes/${first.id}/success_nodes/`, { id: second.id })
  const run = await mayfly.post<Launched>(`/workflow_job_templates/${wfjt.id}/launch/`)
  const { job = 0 } = await mayfly.post<Launched>(`/job_templates/${quickly}/launch/`)
  const jobs = [job]
  expect(await mayfly.ended(`/workflow_jobs/${run.workflow_job}/`)).toMatchObject({ status: 'successful' })
  expect(await mayfly.ended(`/jobs/${job}/`)).toMatchObject({ status: 'successful' })
  const page = await mayfly.get<Page<{ job: number }>>(`/workflow_jobs/${run.workflow_job}/workflow_nodes/`)
  expect(page.count).toBe(2)
  jobs.push(...page.results.map((one) => one.job))
  for (const id of jobs) {
    const seen = await mayfly.get<Slice & Record<string, unknown>>(`/jobs/${id}/`)
    expect(seen).toMatchObject({ status: 'successful', instance_group: catalog.group, execution_node: '' })
    expect(seen.controller_node).not.toBe('')
    expect((await pods.seenOf(id))[0]?.metadata?.namespace).toBe(mayfly.kubernetesNamespace)
  }
})

test(`rows 7, 8, 9 and 39: ${slices} slices with room for ${room}; those that are killed are retried alone`, async () => {
  await pods.until('the pods of other jobs to be gone', () => pods.pods.size === 0)
  await untilNoPodCounts(mayfly.stack, mayfly.kubernetesNamespace, 'three')
  const sliced = await template('slices.yml', { job_slice_count: slices })
  const launched = await mayfly.post<Launched & { id: number }>(`/job_templates/${sliced}/launch/`)
  expect(launched).toMatchObject({
    type: 'workflow_job',
    is_sliced_job: true,
    job_template: sliced,
    workflow_job_template: null,
    workflow_job: launched.id,
  })
  const run = launched.id
  await until(
    { what: 'all slices to be made', seconds: 180, everyMs: 250 },
    async () => (await slicesOf(run)).length === slices,
  )
  await pods.until(`${room} pods`, () => pods.live.filter((pod) => jobOf(pod) > run).length === room)
  const held = pods.live.map(jobOf).filter((job) => job > run)
  for (const id of held) {
    await until({ what: `slice ${id} to hold`, seconds: 180, pause: mayfly.newsOf(id) }, async () =>
      (await mayfly.api('GET', `/jobs/${id}/stdout/?format=txt`)).text.includes('on h'),
    )
  }
  // Row 9: the others wait and say for what.
  const waiting = (await slicesOf(run)).filter(({ status }) => status === 'pending')
  expect(waiting.length).toBeGreaterThan(0)
  await until({ what: 'an explanation', seconds: 180, everyMs: 300 }, async () =>
    (await slicesOf(run)).some(({ job_explanation: text }) => /Quota three is used up/.test(text)),
  )
  // Kubernetes' quota does not count a pod whose deletion takes longer than it should. The group's own limit does, until it is gone.
  await mayfly.patch(`/instance_groups/${catalog.group}/`, { max_concurrent_jobs: room })

  writeFileSync(join(catalog.projectFolder, 'slices.yml'), quick)
  const [reset = 0, ...retried] = held
  for (const id of held) {
    const name = pods.live.find((pod) => jobOf(pod) === id)?.metadata?.name ?? ''
    const namespace = mayfly.kubernetesNamespace
    await clusterAdmin(mayfly.stack).deleteNamespacedPod({ name, namespace, gracePeriodSeconds: 0 })
    expect(await mayfly.ended(`/jobs/${id}/`)).toMatchObject({ status: 'error' })
  }
  for (const id of retried) {
    const node = [...(await workflows.nodes(run)).values()].find(({ jobId }) => jobId === id)
    expect((await mayfly.api('POST', `/workflow_job_nodes/${node?.id}/retry/`, {})).status).toBe(202)
  }
  await operator.reset(reset)

  expect(await mayfly.ended(`/workflow_jobs/${run}/`)).toMatchObject({ status: 'successful' })
  const ends = await slicesOf(run)
  expect(ends).toHaveLength(slices)
  expect(ends.map((slice) => slice.job_slice_number).sort((one, other) => one - other)).toEqual(
    hosts.map((_, index) => index + 1),
  )
  const ids = ends.map((slice) => slice.id)
  expect(ids).toContain(reset)
  for (const id of retried) expect(ids).not.toContain(id)
  const seen: string[] = []
  for (const slice of ends) {
    expect(slice).toMatchObject({
      status: 'successful',
      job_slice_count: slices,
      instance_group: catalog.group,
      launch_type: 'workflow',
      event_processing_finished: true,
    })
    const summaries = await mayfly.get<Page<{ host_name: string }>>(`/jobs/${slice.id}/job_host_summaries/`)
    expect(summaries.results.map((one) => one.host_name)).toEqual([hosts[slice.job_slice_number - 1]])
    seen.push(...summaries.results.map((one) => one.host_name))
    // Nobody else's pod was made twice.
    const names = () => new Set(pods.statesOf(slice.id).map((pod) => pod.metadata?.name)).size
    const made = slice.id === reset ? 2 : 1
    await pods.until(`${made} pods of slice ${slice.id} to be seen`, () => names() >= made)
    expect(names()).toBe(made)
  }
  expect(seen.sort()).toEqual(hosts)
  expect(pods.peak).toBeLessThanOrEqual(room)

  const last = ends.at(-1) as Slice
  const relaunched = await mayfly.post<Slice>(`/jobs/${last.id}/relaunch/`)
  expect(relaunched).toMatchObject({ job_slice_number: last.job_slice_number, job_slice_count: slices })
  expect(await mayfly.ended(`/jobs/${relaunched.id}/`)).toMatchObject({ status: 'successful' })
  const summaries = await mayfly.get<Page<{ host_name: string }>>(`/jobs/${relaunched.id}/job_host_summaries/`)
  expect(summaries.results.map((one) => one.host_name)).toEqual([hosts[last.job_slice_number - 1]])
  await mayfly.patch(`/job_templates/${sliced}/`, { job_slice_count: 2 })
  expect(await mayfly.api('POST', `/workflow_jobs/${run}/relaunch/`, {})).toMatchObject({
    status: 400,
    body: { detail: 'Cannot relaunch sliced workflow job after slice count has changed.' },
  })
})
