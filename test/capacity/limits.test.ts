/** What keeps jobs out of a group besides its number of jobs: forks, a drain, a quota that is watched, pods that no node takes. */
import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node'
import pg from 'pg'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { simulatedKey } from '../../bench/kubelet/node.ts'
import { until } from '../../dev/wait.ts'
import { Refusals } from '../acceptance/refusals.ts'
import { clusterAdmin } from '../setup/cluster-admin.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { jobOf, type PodRecord, recordedNamespace } from '../setup/pods.ts'
import { countedQuota } from '../setup/quota.ts'
import { type JobOnWire, Scene } from '../setup/scene.ts'
import { expectNothingLeft } from '../setup/tidy.ts'

const undo = new Undo()
let mayfly: Mayfly
let scene: Scene

const playbooks = { hold: '- hosts: all\n  gather_facts: false\n  tasks: [{pause: {seconds: 600}}]\n' }
/** One host and one more for the play itself. */
const impact = 2

beforeAll(async () => {
  mayfly = await startMayfly({ env: { MAYFLY_NO_NODE_PATIENCE: '1' } })
  undo.add(() => mayfly.stop())
  scene = await Scene.open(mayfly, playbooks)
})
afterAll(() => undo.all())

const place = (name: string) => recordedNamespace(mayfly, name, undo)

/** Pods that ask for little, for others use the node as well; `more` requests of one resource more. */
const inside = (namespace: string, more: Record<string, string> = {}) => {
  const worker = { name: 'worker', resources: { requests: { cpu: '20m', ...more }, limits: more } }
  return { pod_spec_override: JSON.stringify({ metadata: { namespace }, spec: { containers: [worker] } }) }
}

const patience = 240

const runs = (id: number) => scene.jobWhen(id, 'to run', ({ status }) => status === 'running', patience)
const says = (id: number, text: RegExp) =>
  scene.jobWhen(id, `to say ${text}`, ({ job_explanation: told }) => text.test(told), patience)

/** The job that says so, once one of them does. */
const jobThatSays = (jobs: number[], text: RegExp): Promise<JobOnWire> =>
  until({ what: `a job that says ${text}`, seconds: patience, everyMs: 250 }, async () => {
    const all = await Promise.all(jobs.map((job) => scene.job(job)))
    return all.find((job) => text.test(job.job_explanation))
  })

/** The one of these jobs that has no pod yet. */
const withoutPod = (jobs: number[], pods: PodRecord) => jobs.find((job) => pods.statesOf(job).length === 0) ?? 0

async function launchEach(template: number, count: number): Promise<number[]> {
  const jobs: number[] = []
  for (let index = 0; index < count; index++) jobs.push(await scene.launch(template))
  return jobs
}

async function cancelAll(jobs: number[]): Promise<void> {
  await Promise.all(jobs.map((job) => scene.cancel(job)))
  await Promise.all(jobs.map((job) => scene.ended(job)))
}

describe.concurrent('a group has no room', () => {
  test('for more forks than max_forks, until the limit is raised; a job that never fits ends', async ({ expect }) => {
    const { namespace, pods } = await place('forks')
    const group = await scene.group(inside(namespace))
    await mayfly.patch(`/instance_groups/${group}/`, { max_forks: 2 * impact + 1 })
    const template = await scene.template('hold', { group })
    const jobs = await launchEach(template, 3)
    await pods.until('two pods', () => pods.live.length === 2, patience)
    const waiting = withoutPod(jobs, pods)
    await says(waiting, /: 4 of 5 forks are in use, and this job counts 2 \(max_forks\)\. Place 1 /)
    await Promise.all(jobs.filter((job) => job !== waiting).map(runs))
    expect(await mayfly.get(`/instance_groups/${group}/`)).toMatchObject({
      ...{ capacity: 5, consumed_capacity: 4, percent_capacity_remaining: 20, jobs_running: 2 },
    })
    await mayfly.patch(`/instance_groups/${group}/`, { max_forks: 3 * impact })
    await runs(waiting)
    const last = await scene.launch(template)
    await says(last, /6 of 6 forks/)
    await mayfly.patch(`/instance_groups/${group}/`, { max_forks: 1 })
    await says(last, /counts 2 forks, and instance group "group \d+" never has more than 1 \(max_forks\)/)
    await cancelAll(jobs)
    expect(await scene.ended(last)).toMatchObject({
      status: 'error',
      job_explanation: expect.stringMatching(
        /counts 2 forks, and instance group "group \d+" never has more than 1 \(max_forks\)/,
      ),
    })
    expect(pods.statesOf(last)).toEqual([])
    expect(pods.peak).toBe(3)
  })

  test('while it is drained: jobs go elsewhere or wait, and what runs at the deadline is evicted', async ({
    expect,
  }) => {
    const { namespace, pods } = await place('drain')
    const [group, other] = [await scene.group(inside(namespace)), await scene.group(inside(namespace))]
    const template = await scene.template('hold', { group })
    const running = await scene.launch(template)
    await runs(running)
    expect(await mayfly.post(`/instance_groups/${group}/drain/`)).toMatchObject({ drain_deadline: null, jobs_left: 1 })
    const stranded = await scene.launch(template)
    await says(stranded, /: it is drained since \S+Z and admits nobody\. Place 1 in line\.$/)
    expect(await mayfly.get(`/instance_groups/${group}/drain/`)).toMatchObject({ jobs_stranded: 1 })
    const both = await scene.template('hold', { group })
    await mayfly.post(`/job_templates/${both}/instance_groups/`, { id: other })
    const elsewhere = await scene.launch(both)
    expect((await runs(elsewhere)).instance_group).toBe(other)
    expect(await scene.job(running)).toMatchObject({ status: 'running' })

    await mayfly.post(`/instance_groups/${group}/drain/`, { deadline_seconds: 1 })
    expect(await scene.ended(running)).toMatchObject({
      status: 'error',
      job_explanation: expect.stringMatching(
        /^Instance group "group \d+" is drained since .* had until \S+Z to end\.$/,
      ),
    })
    await pods.until('its pod to go', () => !pods.has(running))
    expect(await scene.job(stranded)).toMatchObject({ status: 'pending' })
    expect((await mayfly.api('DELETE', `/instance_groups/${group}/drain/`)).status).toBe(204)
    await runs(stranded)
    await cancelAll([stranded, elsewhere])
  })

  test('in a quota that is watched: jobs wait by its numbers, and the next one goes in when one is gone', async () => {
    const { namespace, pods } = await place('quota')
    await countedQuota(mayfly.stack, namespace, 'two', { 'requests.cpu': '50m' })
    const template = await scene.template('hold', { group: await scene.group(inside(namespace)) })
    const first = await launchEach(template, 3)
    const told = /: Quota two is used up: requests\.cpu 40m of 50m in use, 20m requested\. Place 1 in line\.$/
    await pods.until('two pods', () => pods.live.length === 2, patience)
    const waiting = withoutPod(first, pods)
    await says(waiting, told)
    const refusals = Refusals.begin(mayfly.stack, namespace)
    const others = await launchEach(template, 2)
    await jobThatSays(others, /Quota two is used up: .* Place 3 in line\.$/)
    const running = first.filter((job) => job !== waiting)
    await cancelAll(running.slice(0, 1))
    await pods.until('the next pod', () => pods.live.some((pod) => jobOf(pod) === waiting), patience)
    await runs(waiting)
    await jobThatSays(others, told)
    console.log(`pods that were refused after the quota was full: ${refusals.times().length}`)
    await cancelAll([...first.slice(1), ...others, ...first.slice(0, 1)].filter((job) => job !== running[0]))
  })

  test('on any node: few pods wait for one, and the others go in when there is one', async ({ expect }) => {
    const { namespace, pods } = await place('nodes')
    const resource = `mayfly.dev/${mayfly.id}`
    await offer(resource, 1)
    undo.add(() => offer(resource, null))
    const group = await scene.group(inside(namespace, { [resource]: '1' }))
    const template = await scene.template('hold', { group })
    const [first = 0] = await launchEach(template, 1)
    await runs(first)
    const pending = await launchEach(template, 2)
    await until({ what: 'the brake to close', seconds: patience, everyMs: 100 }, () => isBraked(group))
    const waiting = await scene.launch(template)
    await says(
      waiting,
      /: No node takes \d pods of this group: 0\/\d+ nodes are available: .*Insufficient mayfly\.dev\//,
    )
    expect(pods.statesOf(waiting)).toEqual([])
    await offer(resource, 20)
    await Promise.all([...pending, waiting].map(runs))
    await cancelAll([first, ...pending, waiting])
  })
})

test('a pod that its node refuses for want of room is made anew until there is some', async ({ expect }) => {
  const resource = `mayfly.dev/refused-${mayfly.id}`
  await offer(resource, 1)
  undo.add(() => offer(resource, null))
  const { items } = await clusterAdmin(mayfly.stack).listNode({ labelSelector: `!${simulatedKey}` })
  // So it is not the scheduler that finds it too large, but the node itself.
  const nodeName = items[0]?.metadata?.name
  const worker = { name: 'worker', resources: { requests: { [resource]: '2' }, limits: { [resource]: '2' } } }
  const group = await scene.group({ pod_spec_override: JSON.stringify({ spec: { nodeName, containers: [worker] } }) })
  const job = await scene.launch(await scene.template('hold', { group }))
  const attempts = async () =>
    (await mayfly.get<{ results: { cause: string | null; explanation: string }[] }>(`/jobs/${job}/attempts/`)).results
  const refused = { cause: 'node_refused', explanation: expect.stringMatching(/^The node refused the pod \(OutOf/) }
  const wait = { what: 'the first pod to be refused', seconds: patience, everyMs: 50 }
  await until(wait, async () => (await attempts())[0]?.cause)
  await offer(resource, 2)
  await runs(job)
  const all = await attempts()
  expect(all.slice(0, -1)).toEqual(Array(all.length - 1).fill(expect.objectContaining(refused)))
  expect(all.length).toBeGreaterThan(1)
  await cancelAll([job])
})

test('a pod that no node can ever take ends its job, with the numbers', async ({ expect }) => {
  const namespace = mayfly.kubernetesNamespace
  const selected = { metadata: { namespace }, spec: { nodeSelector: { 'mayfly.dev/none': mayfly.id } } }
  const nowhere = await scene.run('hold', { group: await scene.group({ pod_spec_override: JSON.stringify(selected) }) })
  const large = await scene.run('hold', { group: await scene.group(inside(namespace, { 'mayfly.dev/none': '3' })) })
  expect(await scene.ended(nowhere)).toMatchObject({
    status: 'error',
    job_explanation: expect.stringMatching(/^No node ever takes the pod: 0\/\d+ nodes are available: .*selector/),
  })
  expect(await scene.ended(large)).toMatchObject({
    status: 'error',
    job_explanation: 'The pod can never fit on a node: it requests mayfly.dev/none 3, and no node has more than 0.',
  })
})

/** Whether it is on record that the group admits nobody because of pods that no node takes. */
async function isBraked(group: number): Promise<boolean> {
  const database = new pg.Client(mayfly.databaseUrl)
  await database.connect()
  try {
    const query = "SELECT 1 FROM group_brakes WHERE instance_group_id = $1 AND kind = 'scheduler'"
    return ((await database.query(query, [group])).rowCount ?? 0) > 0
  } finally {
    await database.end()
  }
}

/** Lets every node offer so much of a resource; null: none. Simulated ones of other tests come and go meanwhile, and take none of these pods. */
async function offer(resource: string, amount: number | null): Promise<void> {
  const core = clusterAdmin(mayfly.stack)
  const { items } = await core.listNode({ labelSelector: `!${simulatedKey}` })
  const quantity = amount === null ? null : String(amount)
  const status = { capacity: { [resource]: quantity }, allocatable: { [resource]: quantity } }
  for (const { metadata } of items) {
    await core.patchNodeStatus(
      { name: metadata?.name ?? '', body: { status } },
      setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
    )
  }
}

test('nothing is left, and the worker has no complaint', () => expectNothingLeft(mayfly))
