/**
 * A worker dies while its jobs are let in, in groups that they fill: their places are taken by their own claims, so no gate lets them in again. The reaper, which would give
 * the claims back at some time, does not come in these tests. Nodes are simulated.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startNodes } from '../../bench/kubelet/start.ts'
import { until } from '../../dev/wait.ts'
import { podName } from '../../model/attempt.ts'
import { groupTaskQueue } from '../../workflows/names.ts'
import { Operator } from '../operator/operator.ts'
import { type Mayfly, startMayfly } from '../setup/mayfly.ts'
import { Undo } from '../setup/own-places.ts'
import { PodRecord } from '../setup/pods.ts'
import { Scene } from '../setup/scene.ts'
import { expectNothingLeft } from '../setup/tidy.ts'
import { Witness } from '../setup/witness.ts'
import { credentialBehind } from './behind-proxy.ts'
import { FaultProxy } from './fault-proxy.ts'
import type { CallMatch, Rule } from './fault-rules.ts'

const undo = new Undo()
/** All that a job of the simulated nodes does. */
const plan = { runMs: 500, startMs: 100, reportMs: 200 }

let mayfly: Mayfly
let witness: Witness
let pods: PodRecord
let operator: Operator
let scene: Scene
let proxy: FaultProxy
let groupOf: (places: number) => Promise<number>

beforeAll(async () => {
  // Whatever time a slow machine takes until the worker is dead, no claim is given back meanwhile.
  const patience = { MAYFLY_REAPER_INTERVAL: '86400', MAYFLY_ENDPOINT_PATIENCE: '86400' }
  mayfly = await startMayfly({ env: patience })
  undo.add(() => mayfly.stop())
  witness = new Witness(mayfly)
  undo.add(() => witness.stop())
  pods = await PodRecord.open(mayfly.stack, mayfly.kubernetesNamespace)
  undo.add(async () => pods.close())
  operator = await Operator.open(mayfly)
  undo.add(() => operator.close())
  proxy = await FaultProxy.before(mayfly.stack)
  undo.add(() => proxy.stop())
  const nodes = await startNodes(mayfly.stack, `${mayfly.id}-full`, join(mayfly.folder, 'nodes.log'), { plan })
  undo.add(() => nodes.stop())
  scene = await Scene.open(mayfly, { play: '- hosts: all\n  tasks: []\n' })
  const credential = await credentialBehind(proxy, mayfly, scene.organization)
  const override = { metadata: { namespace: mayfly.kubernetesNamespace }, spec: nodes.podSpec }
  groupOf = (places) =>
    scene.group({ credential, max_concurrent_jobs: places, pod_spec_override: JSON.stringify(override) })
})
afterAll(() => undo.all())

const creation = (job?: number): CallMatch => ({
  ...{ verb: 'create', resource: 'pods' },
  ...(job === undefined ? {} : { name: podName(job, 1) }),
})

/** Keeps creations of pods that come from now on, of one job or of all. */
const hold = (job?: number): Rule =>
  proxy.add({ match: creation(job), fault: { kind: 'hold', when: 'before' }, times: Number.POSITIVE_INFINITY })

/** As many creations of the job are never heard of by the API server, as if they had died with who made them. */
const lose = (job: number, times: number): Rule =>
  proxy.add({ match: creation(job), fault: { kind: 'cut-before' }, times })

/** Launches a job, and resolves when it stands in the line of the group. */
async function queue(template: number, group: number): Promise<number> {
  const job = await scene.launch(template)
  await until({ what: `job ${job} to stand in line`, seconds: 180, everyMs: 50 }, async () => {
    const { pendingActivities } = (await operator.describe(job).catch(() => undefined))?.raw ?? {}
    return pendingActivities?.some(({ activityOptions }) => activityOptions?.taskQueue?.name === groupTaskQueue(group))
  })
  return job
}

/** How often the pod of a job was asked for: whoever waits for the answer for long asks again. */
const timesAsked = (job: number): number =>
  proxy.calls.filter(({ verb, name }) => verb === 'create' && name === podName(job, 1)).length

/** Resolves when the pod of each of the jobs was asked for more often than so many times. */
const asked = (jobs: number[], before = 0) =>
  until({ what: `the pods of jobs ${jobs} to be asked for`, seconds: 180, everyMs: 20 }, () =>
    jobs.every((job) => timesAsked(job) > before),
  )

/** The claims of jobs, in the order in which they were made. */
const claimsOf = (...jobs: number[]) =>
  witness.query<{ id: number; job: number; number: number; claimed: string }>(
    `SELECT id, job_id AS job, number, claimed_at::text AS claimed FROM attempts WHERE job_id = ANY($1) ORDER BY claimed_at, id`,
    jobs,
  )

test('jobs whose worker died while they were let in go on with their places, before those that stand in line', async () => {
  const [pair, single, left, drained] = await Promise.all([groupOf(2), groupOf(1), groupOf(1), groupOf(1)])
  await mayfly.post(`/instance_groups/${drained}/drain/`)
  const [inPair, inTwo, inSingle, inLeft] = await Promise.all([
    scene.template('play', { group: pair }),
    scene.template('play', { group: single }),
    scene.template('play', { group: single }),
    scene.template('play', { group: left }),
  ])
  await mayfly.post(`/job_templates/${inTwo}/instance_groups/`, { id: drained })
  const held = hold()
  const [lost, heard, cancelled] = [await scene.launch(inPair), await scene.launch(inPair), await scene.launch(inLeft)]
  const ofTwo = await queue(inTwo, drained)
  await asked([lost, heard, cancelled, ofTwo])
  const claims = await claimsOf(lost, heard, ofTwo)
  await mayfly.start('worker-2')
  const behindPair = [await queue(inPair, pair), await queue(inPair, pair)]
  const [behindSingle, behindCancelled] = [await queue(inSingle, single), await queue(inLeft, left)]

  await mayfly.kill9('worker')
  const byTheDead = timesAsked(cancelled)
  lose(lost, 1)
  const heldAgain = hold(cancelled)
  proxy.remove(held)
  // Besides what the dead worker asked for, what the other one does.
  await asked([cancelled], byTheDead)
  await mayfly.post(`/jobs/${cancelled}/cancel/`)
  expect(await scene.ended(cancelled)).toMatchObject({ status: 'canceled' })
  // Each was perhaps asked for again, where the machine was slow.
  lose(cancelled, Number.POSITIVE_INFINITY)
  proxy.remove(heldAgain)

  for (const job of [lost, heard, ofTwo, ...behindPair, behindSingle, behindCancelled]) {
    expect(await scene.ended(job)).toMatchObject({ status: 'successful', job_explanation: '' })
    expect(witness.podsOf(job), `pods of job ${job}`).toBe(1)
  }
  expect(await claimsOf(lost, heard, ofTwo)).toEqual(claims)
  const served = async (...jobs: number[]) => (await claimsOf(...jobs)).map(({ job }) => job)
  // Which of two that come at the same time has its place first is chance.
  const firstTwo = await claimsOf(lost, heard)
  expect((await claimsOf(lost, heard, ...behindPair)).slice(0, 2)).toEqual(firstTwo)
  expect(await served(ofTwo, behindSingle)).toEqual([ofTwo, behindSingle])
  expect(witness.podsOf(cancelled)).toBe(0)
  // Two, one and one: the places of the groups.
  expect(pods.peak).toBeLessThanOrEqual(4)
  await witness.expectNothingLeft()
  await expectNothingLeft(mayfly, ['worker', 'worker-2'])
})
