/** A job waits in all its instance groups at once, preferred first, and the first with room takes it. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inNamespace } from '../setup/catalog.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { PodRecord } from '../setup/pods.ts'
import { Scene } from '../setup/scene.ts'
import { expectNothingLeft } from '../setup/tidy.ts'

const undo = new Undo()
let mayfly: Mayfly
let scene: Scene
let pods: PodRecord
const hold = '- hosts: all\n  gather_facts: false\n  tasks: [{pause: {seconds: 600}}]\n'
const quick = '- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: done}}]\n'

beforeAll(async () => {
  mayfly = await startMayfly({ env: { MAYFLY_ENDPOINT_PATIENCE: '5' } })
  undo.add(() => mayfly.stop())
  pods = await PodRecord.open(mayfly.stack, mayfly.kubernetesNamespace)
  undo.add(async () => pods.close())
  scene = await Scene.open(mayfly, { hold, quick })
})
afterAll(() => undo.all())

const room = (limit: number) => scene.group({ pod_spec_override: inNamespace(mayfly), max_concurrent_jobs: limit })

async function templateIn(playbook: string, groups: number[]): Promise<number> {
  const [first, ...others] = groups
  const template = await scene.template(playbook, first === undefined ? {} : { group: first })
  for (const id of others) await mayfly.post(`/job_templates/${template}/instance_groups/`, { id })
  return template
}

const runs = (id: number) => scene.jobWhen(id, 'to run', (job) => job.status === 'running')

test('row 54: a job whose group is full goes to the next in order, and one that finds none waits for whichever is free first', async () => {
  const [preferred, next] = [await room(1), await room(1)]
  const template = await templateIn('hold', [preferred, next])
  const first = await scene.launch(template)
  expect((await runs(first)).instance_group).toBe(preferred)
  const second = await scene.launch(template)
  expect((await runs(second)).instance_group).toBe(next)
  const third = await scene.launch(template)
  const told = (job: { job_explanation: string }) => job.job_explanation.match(/1 of 1 concurrent jobs/g)?.length === 2
  await scene.jobWhen(third, 'to say that both groups are full', told)
  await mayfly.kill9('worker')
  await mayfly.restart('worker')
  await scene.cancel(second)
  expect((await runs(third)).instance_group).toBe(next)
  for (const id of [first, third]) await scene.cancel(id)
  for (const id of [first, second, third]) expect(await scene.ended(id)).toMatchObject({ status: 'canceled' })
  for (const id of [first, second, third]) {
    expect(new Set(pods.statesOf(id).map((pod) => pod.metadata?.uid)).size).toBe(1)
  }
})

test('a group that cannot be reached or is misconfigured is passed over, and is the error where there is no other', async () => {
  const away = { host: 'https://127.0.0.1:9', bearer_token: 'x', verify_ssl: false }
  const unreachable = await scene.group({ credential: await scene.clusterCredential(away) })
  const noNamespace = await scene.group({
    pod_spec_override: JSON.stringify({ metadata: { namespace: `${mayfly.kubernetesNamespace}-none` } }),
  })
  const good = await room(0)
  const passed = await scene.ended(await scene.launch(await templateIn('quick', [unreachable, noNamespace, good])))
  expect(passed).toMatchObject({ status: 'successful', instance_group: good })
  const lost = await scene.ended(await scene.launch(await templateIn('quick', [unreachable, noNamespace])))
  expect(lost).toMatchObject({ status: 'error', job_explanation: expect.stringContaining('127.0.0.1') })
})

test('nothing is left', async () => {
  expect(pods.live).toEqual([])
  await expectNothingLeft(mayfly)
})
