/** The nodes that benches and the soak run on: a job cannot tell them from real ones. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BehaviourPlan } from '../../bench/kubelet/behaviour.ts'
import { startNodes } from '../../bench/kubelet/start.ts'
import { clusterAdmin } from '../setup/cluster-admin.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { Scene } from '../setup/scene.ts'
import { expectNothingLeft } from '../setup/tidy.ts'

const undo = new Undo()
let mayfly: Mayfly
let scene: Scene

const playbooks = { play: '- hosts: all\n  gather_facts: false\n  tasks: [{debug: {msg: nobody says this}}]\n' }

beforeAll(async () => {
  mayfly = await startMayfly()
  undo.add(() => mayfly.stop())
  scene = await Scene.open(mayfly, playbooks)
})

afterAll(() => undo.all())

/** Nodes of their own, and a group whose pods go there and nowhere else. */
async function simulated(name: string, plan: Partial<BehaviourPlan>) {
  const log = join(mayfly.folder, `${name}.log`)
  const nodes = await startNodes(mayfly.stack, `${mayfly.id}-${name}`, log, { plan })
  undo.add(() => nodes.stop())
  return { nodes, group: await scene.group({ pod_spec_override: JSON.stringify({ spec: nodes.podSpec }) }) }
}

test('jobs go the whole way over the API server, and say what a captured play said', async () => {
  const { nodes, group } = await simulated('calm', { runMs: 300 })
  const template = await scene.template('play', { group })
  const jobs = await Promise.all(Array.from({ length: 10 }, () => scene.launch(template)))
  for (const job of jobs) expect(await scene.ended(job)).toMatchObject({ status: 'successful', job_explanation: '' })
  const [job = 0] = jobs
  expect(await scene.stdout(job)).toMatch(/PLAY \[web1\][\s\S]+changed: \[web1\][\s\S]+ok=1/)
  const { count } = await mayfly.get<{ count: number }>(`/jobs/${job}/job_events/`)
  expect(count).toBe(6)
  await expectNothingLeft(mayfly)
  const { items } = await clusterAdmin(mayfly.stack).listNamespacedPod({ namespace: mayfly.kubernetesNamespace })
  expect(items).toEqual([])
  expect(await nodes.counts()).toMatchObject({ pods: 10 })
})

test('a failing play, a cancelled one and an image that is missing end as on a real node', async () => {
  const failing = await simulated('failing', { runMs: 300, shares: { failed: 1 } })
  const missing = await simulated('missing', { reportMs: 100, shares: { unpullable: 1 } })
  const long = await simulated('long', { runMs: 600_000, reportMs: 100 })
  const [failed, without, cancelled] = await Promise.all(
    [failing, missing, long].map(({ group }) => scene.run('play', { group })),
  )
  await scene.jobWhen(cancelled ?? 0, 'to run', ({ status }) => status === 'running')
  await scene.printed(cancelled ?? 0, 'TASK [Quiet]')
  await scene.cancel(cancelled ?? 0)
  expect(await scene.ended(cancelled ?? 0)).toMatchObject({ status: 'canceled' })
  expect(await scene.ended(failed ?? 0)).toMatchObject({ status: 'failed' })
  expect((await scene.ended(without ?? 0)).job_explanation).toMatch(/cannot be pulled/)
})
