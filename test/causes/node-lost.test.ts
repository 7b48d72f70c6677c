/**
 * A node that is gone without a word: its kubelet is killed while a pod of ours runs on it. The cluster's own controllers miss it, taint it and tell the pod to leave, which takes most of a
 * minute; nobody is left there to confirm that the pod has ended.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { simulatedKey } from '../../bench/kubelet/node.ts'
import { type SimulatedNodes, startNodes } from '../../bench/kubelet/start.ts'
import { until } from '../../dev/wait.ts'
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

beforeAll(async () => {
  mayfly = await startMayfly()
  undo.add(() => mayfly.stop())
  pods = await PodRecord.open(mayfly.stack, mayfly.kubernetesNamespace)
  undo.add(async () => pods.close())
  scene = await Scene.open(mayfly, { play: '- hosts: all\n  tasks: []\n' })
})
afterAll(() => undo.all())

/** A node of its own; what remains of it when its process was killed goes at the end. */
async function node(owner: string, runMs: number): Promise<SimulatedNodes> {
  const log = join(mayfly.folder, `${owner}.log`)
  const nodes = await startNodes(mayfly.stack, owner, log, { plan: { runMs, startMs: 100, reportMs: 200 } })
  undo.add(async () => {
    await nodes.stop()
    const core = clusterAdmin(mayfly.stack)
    const { items } = await core.listNode({ labelSelector: `${simulatedKey}=${owner}` })
    for (const { metadata } of items) await core.deleteNode({ name: metadata?.name ?? '' })
  })
  // The cluster keeps pods from a new node until it has heard that it is ready; which of two that is first would be chance.
  await until({ what: `the node of ${owner} to take pods`, seconds: 180 }, async () => {
    const { items } = await clusterAdmin(mayfly.stack).listNode({ labelSelector: `${simulatedKey}=${owner}` })
    return items.length > 0 && items.every(({ spec }) => spec?.taints?.every(({ key }) => key === simulatedKey))
  })
  return nodes
}

/** A group whose pods may run on the nodes of these owners and, as pods commonly do, leave one that is lost; here at once. */
async function groupOn(owners: string[], weights: Record<string, number> = {}): Promise<number> {
  const on = (values: string[]) => ({ matchExpressions: [{ key: simulatedKey, operator: 'In', values }] })
  const nodeAffinity = {
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [on(owners)] },
    preferredDuringSchedulingIgnoredDuringExecution: Object.entries(weights).map(([owner, weight]) => ({
      weight,
      preference: on([owner]),
    })),
  }
  const lost = { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 0 }
  const tolerations = [{ key: simulatedKey, operator: 'Exists' }, lost]
  return await scene.group({
    pod_spec_override: JSON.stringify({
      spec: { affinity: { nodeAffinity }, tolerations, terminationGracePeriodSeconds: 1 },
    }),
  })
}

test('the job was lost with its node, runs again where its policy lets it, and leaves no pod and no place taken', async () => {
  const [dying, other] = [`${mayfly.id}-dying`, `${mayfly.id}-other`]
  const doomed = await node(dying, 600_000)
  await node(other, 300)
  const plain = await scene.template('play', { group: await groupOn([dying]) })
  const again = await scene.template('play', { group: await groupOn([dying, other], { [dying]: 100 }) })
  await mayfly.patch(`/job_templates/${again}/`, { retry_policy: { lost_after_start: 1 } })
  const [lost, retried] = [await scene.launch(plain), await scene.launch(again)]
  for (const job of [lost, retried]) await scene.printed(job, 'PLAY [')
  process.kill(doomed.pid, 'SIGKILL')

  const ended = await scene.ended(lost)
  expect(ended).toMatchObject({ status: 'error' })
  expect(ended.job_explanation).toMatch(/^The pod's node was lost: nothing is heard of .*-dying-node-1 since /)
  const postMortem = await mayfly.get(`/jobs/${lost}/post_mortem/`)
  const unknown = expect.objectContaining({ type: 'Ready', status: 'Unknown' })
  expect(postMortem).toMatchObject({
    cause: 'node_lost',
    node: {
      name: `${dying}-node-1`,
      conditions: expect.arrayContaining([unknown]),
      taints: expect.arrayContaining(['node.kubernetes.io/unreachable:NoExecute']),
    },
  })
  expect(await scene.ended(retried)).toMatchObject({ status: 'successful', job_explanation: '' })
  const { results } = await mayfly.get<{ results: unknown[] }>(`/jobs/${retried}/attempts/`)
  expect(results).toMatchObject([
    { number: 1, cause: 'node_lost', released: expect.any(String) },
    { number: 2, cause: null },
  ])
  // Nobody but us is there to delete it by force.
  for (const job of [lost, retried]) await pods.until(`no pod of job ${job}`, () => !pods.has(job))
  await until({ what: 'the place of the lost job to be free', seconds: 180 }, async () => {
    const { results: attempts } = await mayfly.get<{ results: { released: string | null }[] }>(
      `/jobs/${lost}/attempts/`,
    )
    return attempts.every(({ released }) => released !== null)
  })
})

test('nothing is left, and the worker has no complaint', () => expectNothingLeft(mayfly))
