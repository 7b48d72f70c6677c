/** More jobs than there is room for: none fails, the excess waits and says for what, and starts when there is room. */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { until } from '../../dev/wait.ts'
import { clusterAdmin } from '../setup/cluster-admin.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { jobOf, type PodRecord, recordedNamespace } from '../setup/pods.ts'
import { countedQuota } from '../setup/quota.ts'
import { Scene } from '../setup/scene.ts'
import { expectNothingLeft } from '../setup/tidy.ts'

const undo = new Undo()
let mayfly: Mayfly
let scene: Scene

const playbooks = {
  brief: '- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: has begun}}, {pause: {seconds: 1}}]\n',
  hold: '- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: has begun}}, {pause: {seconds: 300}}]\n',
}

beforeAll(async () => {
  mayfly = await startMayfly()
  undo.add(() => mayfly.stop())
  // Two workers: the limit holds for them together.
  await mayfly.start('worker-2')
  scene = await Scene.open(mayfly, playbooks)
})

afterAll(() => undo.all())

const place = (name: string) => recordedNamespace(mayfly, name, undo)

const inNamespace = (namespace: string) => JSON.stringify({ metadata: { namespace } })

/** Jobs one after the other, so that their order in line is known. */
async function launchEach(template: number, count: number): Promise<number[]> {
  const jobs: number[] = []
  for (let index = 0; index < count; index++) jobs.push(await scene.launch(template))
  return jobs
}

const cancelAll = (jobs: number[]) =>
  Promise.all(
    jobs.map(async (job) => {
      await scene.cancel(job)
      await scene.ended(job)
    }),
  )

const withoutPod = (jobs: number[], pods: PodRecord) => jobs.filter((job) => pods.statesOf(job).length === 0)

/** The job whose explanation reads like this, once there is one. */
const jobThatSays = (jobs: number[], text: RegExp) =>
  until({ what: `a job that says ${text}`, seconds: 180, everyMs: 250 }, async () => {
    const all = await Promise.all(jobs.map((job) => scene.job(job)))
    return all.find((job) => text.test(job.job_explanation))
  })

async function runningPods(pods: PodRecord, count: number): Promise<number[]> {
  await pods.until(`${count} pods that run`, () => pods.live.length === count)
  return pods.live.map(jobOf)
}

describe.concurrent('capacity', () => {
  test('more jobs than max_concurrent_jobs: never more pods than that', async ({ expect }) => {
    const { namespace, pods } = await place('limit')
    const group = await scene.group({ max_concurrent_jobs: 2, pod_spec_override: inNamespace(namespace) })
    const holders = await launchEach(await scene.template('hold', { group }), 2)
    await runningPods(pods, 2)
    const jobs = await launchEach(await scene.template('brief', { group }), 4)
    const text =
      /^Waiting since \S+Z for a place in instance group 'group \d+': 2 of 2 concurrent jobs are running \(max_concurrent_jobs\)\. Place 4 in line\.$/
    expect(await jobThatSays(jobs, text)).toMatchObject({ status: 'pending', started: null, execution_node: '' })
    await cancelAll(holders)
    const ends = await Promise.all(jobs.map((job) => scene.ended(job)))
    expect(ends.map(({ status, job_explanation: text }) => ({ status, text }))).toEqual(
      jobs.map(() => ({ status: 'successful', text: '' })),
    )
    expect(pods.peak).toBe(2)
  })

  test('a limit that is changed while jobs wait', async ({ expect }) => {
    const { namespace, pods } = await place('change')
    const group = await scene.group({ max_concurrent_jobs: 1, pod_spec_override: inNamespace(namespace) })
    const jobs = await launchEach(await scene.template('hold', { group }), 4)
    const [first = 0] = await runningPods(pods, 1)
    await mayfly.patch(`/instance_groups/${group}/`, { max_concurrent_jobs: 3 })
    await runningPods(pods, 3)
    await mayfly.patch(`/instance_groups/${group}/`, { max_concurrent_jobs: 1 })
    await cancelAll([first])
    await pods.until('the first pod to go', () => !pods.has(first))
    // Two still run where one may: the fourth job goes on waiting.
    const fourth = withoutPod(jobs, pods)[0] ?? 0
    await scene.jobWhen(fourth, 'to name the limit', ({ job_explanation: text }) =>
      /2 of 1 concurrent jobs are running/.test(text),
    )
    expect(pods.live).toHaveLength(2)
    await cancelAll(jobs)
    expect(pods.peak).toBe(3)
  })

  test('more jobs than a quota allows', async ({ expect }) => {
    const { namespace, pods } = await place('quota')
    await countedQuota(mayfly.stack, namespace, 'two', { pods: '2' })
    const group = await scene.group({ pod_spec_override: inNamespace(namespace) })
    const jobs = await launchEach(await scene.template('hold', { group }), 5)
    const [first = 0] = await runningPods(pods, 2)
    const text =
      /^Waiting since \S+Z for a place in instance group 'group \d+': Quota two is used up: pods 2 of 2 in use, 1 requested\. Place 3 in line\.$/
    expect(await jobThatSays(jobs, text)).toMatchObject({ status: 'pending' })

    const freed = performance.now()
    await cancelAll([first])
    await pods.until('the first pod to go', () => !pods.has(first))
    const gone = performance.now()
    await pods.until('a third pod', () => new Set(pods.states.map(jobOf)).size === 3)
    console.log(
      `pod gone ${(gone - freed).toFixed()} ms after the cancel, the next one ${(performance.now() - gone).toFixed()} ms later`,
    )

    await clusterAdmin(mayfly.stack).replaceNamespacedResourceQuota({
      namespace,
      name: 'two',
      body: { metadata: { name: 'two' }, spec: { hard: { pods: '4' } } },
    })
    const raised = performance.now()
    await pods.until('all the others', () => new Set(pods.states.map(jobOf)).size === 5)
    console.log(`all run ${(performance.now() - raised).toFixed()} ms after the quota was raised`)
    const waiting = await Promise.all(
      jobs.filter((job) => job !== first).map((job) => scene.jobWhen(job, 'to run', (now) => now.status === 'running')),
    )
    expect(waiting.every((job) => job.job_explanation === '')).toBe(true)
    await cancelAll(jobs)
  })
})

test('nothing is left, and the workers have no complaint', () => expectNothingLeft(mayfly, ['worker', 'worker-2']))
