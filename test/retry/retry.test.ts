/** Attempts that the cluster ended are made again as far as the policy says, and no further; each can be looked at. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { podLabels } from '../../model/attempt.ts'
import type { RetryPolicy } from '../../model/retry-policy.ts'
import { clusterAdmin } from '../setup/cluster-admin.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { PodRecord } from '../setup/pods.ts'
import { Scene } from '../setup/scene.ts'
import { expectNothingLeft } from '../setup/tidy.ts'

const undo = new Undo()
let mayfly: Mayfly
let scene: Scene
let pods: PodRecord

/** Which attempt a play belongs to, it learns from its pod: the first one stays until somebody ends it. */
const numbered = [
  { name: 'ATTEMPT', valueFrom: { fieldRef: { fieldPath: `metadata.labels['${podLabels.attempt}']` } } },
]
const stay = `- hosts: all
  gather_facts: false
  tasks:
    - debug: {msg: "attempt {{ lookup('env', 'ATTEMPT') }} has begun"}
    - pause: {seconds: "{{ 300 if lookup('env', 'ATTEMPT') == '1' else 0 }}"}
`

beforeAll(async () => {
  // However long the plays take to begin that are lost together with it, the pod that no node takes is waited for.
  mayfly = await startMayfly({ env: { MAYFLY_NO_NODE_PATIENCE: '3600' } })
  undo.add(() => mayfly.stop())
  pods = await PodRecord.open(mayfly.stack, mayfly.kubernetesNamespace)
  undo.add(async () => pods.close())
  scene = await Scene.open(mayfly, { stay })
})
afterAll(() => undo.all())

interface Attempt {
  number: number
  phase: string
  pod: string
  cause: string | null
  explanation: string
  memory_limit: number | null
  delivered: string | null
  ended: string | null
  last_output: string
}

const group = (spec: Record<string, unknown>, worker: Record<string, unknown> = {}) =>
  JSON.stringify({ spec: { ...spec, containers: [{ name: 'worker', env: numbered, ...worker }] } })

async function launch(policy: RetryPolicy, override = group({})): Promise<{ job: number; group: number }> {
  const groupId = await scene.group({ pod_spec_override: override })
  const template = await scene.template('stay', { group: groupId })
  await mayfly.patch(`/job_templates/${template}/`, { retry_policy: policy })
  return { job: await scene.launch(template), group: groupId }
}

const attemptsOf = async (job: number) => (await mayfly.get<{ results: Attempt[] }>(`/jobs/${job}/attempts/`)).results

const deletePod = (job: number, number = 1) =>
  clusterAdmin(mayfly.stack).deleteNamespacedPod({
    ...{ namespace: mayfly.kubernetesNamespace, name: `automation-job-${job}-${number}`, gracePeriodSeconds: 0 },
  })

/** Kills the worker and runs something while it is dead. */
async function withoutWorker(act: () => Promise<unknown>): Promise<void> {
  await mayfly.kill9('worker')
  await act()
  await mayfly.start('worker')
}

test('a pod that is lost before its play began, and one that is lost after it where the author allows that, while the worker dies', async () => {
  const waits = await launch({ lost_before_start: 1 }, group({ nodeSelector: { 'mayfly.dev/no-such': 'node' } }))
  const runs = await launch({ lost_after_start: 1 })
  const stays = await launch({ lost_before_start: 3 })
  await pods.until('the first pods', () => pods.has(waits.job))
  for (const { job } of [runs, stays]) await scene.printed(job, 'attempt 1 has begun')
  await mayfly.patch(`/instance_groups/${waits.group}/`, { pod_spec_override: group({}) })
  await withoutWorker(async () => {
    for (const { job } of [waits, runs, stays]) await deletePod(job)
  })

  const again = /^Attempt 1 ended: Pod automation-job-\d+-1 was deleted.*; trying again \(2 of 2\)\. /
  for (const { job } of [waits, runs]) {
    await scene.jobWhen(job, 'to say that it is tried again, or to be on it', ({ status, job_explanation }) =>
      status === 'pending' ? again.test(job_explanation) : status !== 'running',
    )
    expect(await scene.ended(job)).toMatchObject({ status: 'successful', job_explanation: '' })
    expect((await scene.stdout(job)).match(/attempt \d has begun/g)).toEqual(['attempt 2 has begun'])
  }
  expect(await attemptsOf(waits.job)).toMatchObject([
    { number: 1, phase: 'released', cause: 'pod_deleted', delivered: null, last_output: '' },
    { number: 2, cause: null, delivered: expect.any(String), ended: expect.any(String) },
  ])
  expect(await attemptsOf(runs.job)).toMatchObject([
    {
      number: 1,
      cause: 'pod_deleted',
      delivered: expect.any(String),
      last_output: expect.stringContaining('attempt 1 has begun'),
    },
    { number: 2, cause: null },
  ])
  const lost = await scene.ended(stays.job)
  expect(lost).toMatchObject({ status: 'error' })
  expect(lost.job_explanation).toMatch(
    /^Pod automation-job-\d+-1 was deleted.* Not tried again: the retry policy allows no further attempt for one that was lost after its play had begun \(lost_after_start\)\.$/,
  )
  expect(await attemptsOf(stays.job)).toMatchObject([{ number: 1, cause: 'pod_deleted' }])
})

test.concurrent('a container that runs out of memory gets more once', async () => {
  const little = group({}, { resources: { requests: { memory: '24Mi' }, limits: { memory: '24Mi' } } })
  const { job } = await launch({ out_of_memory: { factor: 8, max: '1Gi' } }, little)
  const { job: capped } = await launch({ out_of_memory: { factor: 8, max: '24Mi' } }, little)
  expect(await scene.ended(job)).toMatchObject({ status: 'successful' })
  await pods.until('the second pod', () => pods.statesOf(job).some(({ metadata }) => metadata?.name?.endsWith('-2')))
  const limits = pods.statesOf(job).map(({ metadata, spec }) => {
    const worker = spec?.containers.find(({ name }) => name === 'worker')?.resources
    return `${metadata?.name?.at(-1)}: ${worker?.requests?.memory} ${worker?.limits?.memory}`
  })
  expect([...new Set(limits)]).toEqual(['1: 24Mi 24Mi', '2: 192Mi 192Mi'])
  expect(await attemptsOf(job)).toMatchObject([
    { number: 1, cause: 'out_of_memory', memory_limit: null },
    { number: 2, cause: null, memory_limit: 192 * 2 ** 20 },
  ])
  const { status, job_explanation } = await scene.ended(capped)
  expect([status, job_explanation]).toEqual([
    'error',
    expect.stringMatching(/Not tried again: its memory limit is 24Mi, and the retry policy's max is 24Mi\.$/),
  ])
})

test.concurrent('a command that runs out of memory gets more once', async () => {
  const group = await scene.group({
    pod_spec_override:
      'spec: {containers: [{name: worker, resources: {requests: {memory: 64Mi}, limits: {memory: 64Mi}}}]}',
  })
  const { id } = await mayfly.post('/job_templates/', {
    name: 'allocates',
    execution_environment: await scene.environment(mayfly.stack.image, 'missing'),
    container: { command: ['python3', '-c', 'print(len(bytearray(100 << 20)))'] },
    retry_policy: { out_of_memory: { factor: 4, max: '200Mi' } },
  })
  await mayfly.post(`/job_templates/${id}/instance_groups/`, { id: group })
  const job = await scene.launch(id)
  expect(await scene.ended(job)).toMatchObject({ status: 'successful' })
  expect(await scene.stdout(job)).toBe('104857600\n')
  expect(await attemptsOf(job)).toMatchObject([
    // Whether the kernel kills the command alone or the whole container is up to the node.
    { number: 1, cause: 'out_of_memory', memory_limit: null },
    { number: 2, cause: null, memory_limit: 200 * 2 ** 20 },
  ])
})

test('nothing is left, and the worker has no complaint', () => expectNothingLeft(mayfly))
