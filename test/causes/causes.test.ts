/** Whatever a cluster does to a job: it ends as `error`, says why in words that help, and leaves no pod. */
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest'
import { clusterAdmin } from '../setup/cluster-admin.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { PodRecord } from '../setup/pods.ts'
import { startRegistry } from '../setup/registry.ts'
import { Scene } from '../setup/scene.ts'
import { tokenWith } from '../setup/service-account.ts'
import { expectNothingLeft } from '../setup/tidy.ts'
import { type Case, groupBy, podsForJobs, type Stage } from './arrange.ts'
import { cases } from './cases.ts'

const undo = new Undo()
let mayfly: Mayfly
let stage: Stage

const play = (tasks: string) => `- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: has begun}}, ${tasks}]\n`
const playbooks = {
  quick: play(''),
  hold: play('{pause: {seconds: 300}}'),
  fill: play('{command: fallocate -l 60M /tmp/large}, {pause: {seconds: 300}}'),
}

beforeAll(async () => {
  mayfly = await startMayfly({ env: { MAYFLY_ENDPOINT_PATIENCE: '4' } })
  undo.add(() => mayfly.stop())
  const registry = await startRegistry('empty')
  undo.add(registry.stop)
  const silence = await startRegistry('silent')
  undo.add(silence.stop)
  const pods = await PodRecord.open(mayfly.stack, mayfly.kubernetesNamespace)
  undo.add(async () => pods.close())
  const scene = await Scene.open(mayfly, playbooks)
  stage = { mayfly, scene, pods, registry: registry.host, silence: silence.host, undo }
})

afterAll(() => undo.all())

async function expectCause(
  { playbook = 'quick', arrange, during, ...expected }: Case,
  { expect }: TestContext,
): Promise<void> {
  const { scene } = stage
  const job = await scene.run(playbook, await arrange(stage))
  await during?.(stage, job)
  const ended = await scene.ended(job)
  const { status, failed, job_explanation, result_traceback } = ended
  expect({ status, failed, job_explanation, result_traceback }).toEqual({
    status: 'error',
    failed: true,
    job_explanation: expect.stringMatching(expected.explanation),
    result_traceback: expect.stringMatching(expected.detail),
  })
  const { body: postMortem } = await mayfly.api('GET', `/jobs/${job}/post_mortem/`)
  expect(postMortem).toMatchObject(
    expected.postMortem === null
      ? { detail: expect.stringMatching(/^This job has no post-mortem: no pod was made or asked for\./) }
      : // One that is refused is tried again for a while, each time as another attempt.
        { job, attempt: expect.any(Number), status: 'error', explanation: job_explanation, evidence: result_traceback },
  )
  expect(postMortem).toMatchObject(expected.postMortem ?? {})
  const labelSelector = `ansible-awx-job-id=${job}`
  const podsLeft = async () => {
    const { items } = await clusterAdmin(mayfly.stack).listPodForAllNamespaces({ labelSelector })
    return items.filter((pod) => pod.metadata?.namespace?.startsWith(mayfly.id))
  }
  await expect.poll(podsLeft).toHaveLength(0)
}

test.concurrent.for(cases.filter(({ impatient }) => !impatient))('$name', expectCause)

test('an override with command is refused where it is written', async () => {
  const body = { name: 'c', is_container_group: true, pod_spec_override: 'spec: {containers: [{command: [sh]}]}' }
  const answer = await mayfly.api('POST', '/instance_groups/', body)
  expect(answer.status).toBe(400)
  expect(answer.text).toMatch(/spec\.containers\[0\]\.command: .*Remove command/)
})

test('the args that AWX documents do no harm', async () => {
  const { scene } = stage
  const override = 'spec: {containers: [{name: worker, args: [sleep, infinity]}]}'
  const job = await scene.run('quick', { group: await scene.group({ pod_spec_override: override }) })
  expect(await scene.ended(job)).toMatchObject({ status: 'successful', job_explanation: '' })
})

test('an identity without the right to list or watch is enough', async () => {
  const { scene, pods } = stage
  const job = await scene.run(
    'quick',
    await groupBy(stage, { bearer_token: await tokenWith(stage.mayfly, 'few', podsForJobs) }),
  )
  expect(await scene.ended(job)).toMatchObject({ status: 'successful', job_explanation: '' })
  await pods.until(`no pod of job ${job}`, () => !pods.has(job))
})

test('a worker that gives pods less time to begin', async () => {
  mayfly.env.MAYFLY_POD_PENDING_TIMEOUT = '30'
  await mayfly.restart('worker')
})

test.concurrent.for(cases.filter(({ impatient }) => impatient))('$name', expectCause)

test('nothing is left, and the worker has no complaint', () => expectNothingLeft(mayfly))
