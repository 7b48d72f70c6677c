/** A job can be cancelled at every moment of its life: it ends as `canceled`, and its pod is gone. */
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { CutProxy } from '../kubernetes/cut-proxy.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { PodRecord } from '../setup/pods.ts'
import { startRegistry } from '../setup/registry.ts'
import { Scene } from '../setup/scene.ts'
import { expectNothingLeft } from '../setup/tidy.ts'

const undo = new Undo()
let mayfly: Mayfly
let scene: Scene
let pods: PodRecord
/** The way from Mayfly to Temporal. */
let proxy: CutProxy
let temporal: { host: string; port: number }

const playbooks = {
  quick: '- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: has begun}}]\n',
  hold: '- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: has begun}}, {pause: {seconds: 300}}]\n',
}

beforeAll(async () => {
  const address = new URL(`tcp://${inject('stack').temporalAddress}`)
  temporal = { host: address.hostname, port: Number(address.port) }
  proxy = await CutProxy.start(temporal.host, temporal.port)
  undo.add(() => proxy.stop())
  mayfly = await startMayfly({ env: { TEMPORAL_ADDRESS: `127.0.0.1:${proxy.port}` } })
  undo.add(() => mayfly.stop())
  pods = await PodRecord.open(mayfly.stack, mayfly.kubernetesNamespace)
  undo.add(async () => pods.close())
  scene = await Scene.open(mayfly, playbooks)
})

afterAll(() => undo.all())

/** Whether Temporal ever heard of the job. */
async function hasWorkflow(job: number): Promise<boolean> {
  const connection = await Connection.connect({ address: mayfly.stack.temporalAddress })
  try {
    await new Client({ connection, namespace: mayfly.temporalNamespace }).workflow.getHandle(`job-${job}`).describe()
    return true
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false
    throw error
  } finally {
    await connection.close()
  }
}

/** The job is `canceled` for good, cannot be cancelled again, and has no pod. */
async function expectCanceled(job: number): Promise<void> {
  const ended = await scene.ended(job)
  expect(ended).toMatchObject({ status: 'canceled', failed: true })
  expect(await scene.cancel(job)).toBe(405)
  expect(await mayfly.get(`/jobs/${job}/cancel/`)).toEqual({ can_cancel: false })
  await pods.until(`no pod of job ${job}`, () => !pods.has(job))
}

test('before Temporal was told: at once, and Temporal never hears of it', async () => {
  await mayfly.kill9('worker')
  const job = await scene.run('hold')
  // Where so long has passed that the worker is missed, that is told as well.
  expect((await scene.job(job)).job_explanation).toMatch(
    /^Waiting since \S+ to be handed to Temporal\.(?: No worker |$)/,
  )
  expect(await scene.cancel(job)).toBe(202)
  expect(await scene.job(job)).toMatchObject({ status: 'canceled' })
  await mayfly.start('worker')
  const later = await scene.run('quick')
  expect(await scene.ended(later)).toMatchObject({ status: 'successful' })
  await expectCanceled(job)
  expect(pods.statesOf(job)).toEqual([])
  expect(await hasWorkflow(job)).toBe(false)
})

test('while Temporal is away', async () => {
  const { port } = proxy
  await proxy.stop()
  const job = await scene.run('hold')
  await scene.jobWhen(job, 'to say what it waits for', ({ job_explanation }) =>
    /to be handed to Temporal/.test(job_explanation),
  )
  expect(await scene.cancel(job)).toBe(202)
  proxy = await CutProxy.start(temporal.host, temporal.port, port)
  await expectCanceled(job)
  expect(pods.statesOf(job)).toEqual([])
})

test('while it waits for a place', async () => {
  const template = await scene.template('hold', { group: await scene.group({ max_concurrent_jobs: 1 }) })
  const first = await scene.launch(template)
  await scene.printed(first, 'has begun')
  const second = await scene.launch(template)
  await scene.jobWhen(second, 'to wait', ({ job_explanation }) => /1 of 1 concurrent jobs/.test(job_explanation))
  expect(await scene.cancel(second)).toBe(202)
  await expectCanceled(second)
  expect(pods.statesOf(second)).toEqual([])
  expect(await scene.job(first)).toMatchObject({ status: 'running' })
  expect(await scene.cancel(first)).toBe(202)
  await expectCanceled(first)
})

test('while the image is pulled', async () => {
  const registry = await startRegistry('silent')
  try {
    const job = await scene.run('hold', { environment: await scene.environment(`${registry.host}/ee:1`) })
    const isPulling = () =>
      pods
        .statesOf(job)
        .some((pod) => pod.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'ContainerCreating')
    await pods.until(`the image of job ${job} to be pulled`, isPulling)
    await scene.jobWhen(job, 'to have its pod', ({ status, started }) => status === 'waiting' && started === null)
    expect(await scene.cancel(job)).toBe(202)
    // The node goes on pulling; the pod must not wait for that.
    await expectCanceled(job)
  } finally {
    await registry.stop()
  }
})

test('row 21: while it runs, and twice: the runner ends the play before the pod goes, and what was printed stays', async () => {
  // Runs when the pod is deleted while its container lives, and tells whether the runner did too.
  const hook = 'test -e /mayfly/in/rc || echo the runner was not told > /dev/termination-log'
  const lifecycle = { preStop: { exec: { command: ['sh', '-c', hook] } } }
  const override = JSON.stringify({ spec: { containers: [{ name: 'worker', lifecycle }] } })
  const job = await scene.run('hold', { group: await scene.group({ pod_spec_override: override }) })
  await scene.printed(job, 'has begun')
  // Not one after the answer to the other: by then the job may have ended, and is not cancelled again.
  expect(await Promise.all([scene.cancel(job), scene.cancel(job)])).toEqual([202, 202])
  await expectCanceled(job)
  expect(await scene.stdout(job)).toContain('has begun')
  expect(await scene.job(job)).toMatchObject({ event_processing_finished: true, job_explanation: '' })
  const endings = pods.statesOf(job).map((pod) => pod.status?.containerStatuses?.[0]?.state?.terminated)
  expect(endings.flatMap((end) => end ?? [])).not.toEqual([])
  expect(endings.find((end) => end?.message)?.message).toBeUndefined()
})

test('while it runs and nobody works on it', async () => {
  const job = await scene.run('hold')
  await scene.printed(job, 'has begun')
  await mayfly.kill9('worker')
  expect(await scene.cancel(job)).toBe(202)
  await mayfly.start('worker')
  await expectCanceled(job)
  expect(await scene.stdout(job)).toContain('has begun')
})

test('nothing is left, and the worker has no complaint', () => expectNothingLeft(mayfly))
