/** How soon the jobs of a worker that was killed go on with another one, whatever they were doing. */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { FaultProxy } from '../test/faults/fault-proxy.ts'
import type { CallMatch } from '../test/faults/fault-rules.ts'
import { Undo } from '../test/setup/own-places.ts'
import { atMost, type Bench, info, type Measurement } from './bench.ts'
import type { BehaviourPlan } from './kubelet/behaviour.ts'
import { startNodes } from './kubelet/start.ts'
import { cancelMany, launchMany, StoreView } from './simulated.ts'
import type { Stand } from './stand.ts'
import { median, percentile } from './statistics.ts'
import { WorkOfTemporal } from './takers.ts'

/** What the project promises. */
const goalSeconds = 15
const rounds = 4
/** Longer than a round, so that who starts or runs is found doing so. */
const lastingMs = 300_000

/** What a job is doing when its worker is killed. */
const states = ['waiting', 'admitting', 'filling', 'starting', 'delivering', 'reading', 'releasing'] as const
type State = (typeof states)[number]

/**
 * How jobs are kept in a state: by their nodes, or by a proxy that keeps a call of theirs. One that waits is kept by a drain of its group. `full`: the jobs fill their group, and as many stand in
 * line for it.
 */
const held: Record<State, { plan: Partial<BehaviourPlan>; call?: CallMatch; there: string; full?: boolean }> = {
  waiting: { plan: {}, there: "j.status = 'pending' AND j.waiting_since IS NOT NULL" },
  admitting: {
    plan: {},
    call: { verb: 'create', resource: 'pods' },
    there: "a.phase = 'claimed' AND a.pod_name <> ''",
  },
  filling: {
    plan: { runMs: lastingMs },
    call: { verb: 'create', resource: 'pods' },
    there: "a.phase = 'claimed' AND a.pod_name <> ''",
    full: true,
  },
  starting: { plan: { startMs: lastingMs }, there: "a.phase = 'created'" },
  delivering: { plan: {}, call: { verb: 'exec', script: 'session' }, there: "a.phase = 'created'" },
  reading: { plan: { runMs: lastingMs }, there: 'a.first_event_at IS NOT NULL' },
  releasing: { plan: {}, call: { verb: 'delete', resource: 'pods' }, there: "a.phase = 'ended'" },
}

/** A group whose jobs stop in one state. */
interface Stage {
  groupId: number
  templateId: number
  proxy: FaultProxy | undefined
}

/** Two workers share the jobs; one of them is killed, again and again. What is measured is Temporal's own account of when it gave a job's step to somebody else. */
export const takeover: Bench = {
  name: 'takeover',
  about: `a worker killed with jobs in every state (--jobs N each, 8) until another has taken them up, ${rounds} times`,
  takes: 'about 3 min',
  async run({ say, stand: start, size }) {
    const stand = await start()
    const jobs = size('jobs', 8)
    return await Undo.after(async (undo) => {
      const store = await StoreView.open(stand)
      undo.add(() => store.close())
      const temporal = await WorkOfTemporal.open(stand)
      undo.add(() => temporal.close())
      const stages = new Map<State, Stage>()
      for (const state of states) stages.set(state, await stage(stand, state, jobs, undo))
      const victim = await stand.addWorker()
      const took = new Map<State, number[]>(states.map((state) => [state, []]))
      for (let round = 1; round <= rounds; round++) {
        say(`takeover: kill ${round} of ${rounds}`)
        const launched = await gather(stand, store, stages, jobs)
        const inLine = await gatherBehind(stand, store, stages, jobs)
        const dead = victim.pid() ?? 0
        const victims = new Map<number, State>()
        for (const [state, ids] of launched) {
          for (const id of ids) if (state === 'waiting' || (await temporal.isWith(id, dead))) victims.set(id, state)
        }
        const killedAt = Date.now()
        await victim.kill()
        await letGo(stand, stages)
        const taken = await temporal.takenUp([...victims.keys()], { since: killedAt, not: dead })
        for (const [id, at] of taken) took.get(victims.get(id) ?? 'waiting')?.push((at - killedAt) / 1000)
        await cancelMany(stand, [...inLine, ...[...launched.values()].flat()])
        await victim.start()
        await store.idle()
      }
      return states.flatMap((state) => measurementsOf(state, took.get(state) ?? []))
    })
  },
}

function measurementsOf(state: State, seconds: number[]): Measurement[] {
  const name = `takeover.${state}`
  const count = info(`${name}.jobs`, seconds.length, '')
  // Temporal gives work to whom it likes: who was killed had none of them.
  if (seconds.length === 0) return [count]
  return [
    count,
    info(`${name}.p50`, median(seconds), 's'),
    info(`${name}.p95`, percentile(seconds, 0.95), 's'),
    atMost(`${name}.max`, Math.max(...seconds), 's', goalSeconds),
  ]
}

/** A group for jobs of one state, on nodes of its own, and behind a proxy where a call is to be kept. */
async function stage(stand: Stand, state: State, jobs: number, undo: Undo): Promise<Stage> {
  const { plan, call, full } = held[state]
  const quick = { startMs: 100, reportMs: 200, runMs: 300, ...plan }
  const log = join(stand.folder, `takeover-${state}.log`)
  const nodes = await startNodes(stand.stack, `${stand.id}-${state}`, log, { plan: quick })
  undo.add(() => nodes.stop())
  const proxy = call && (await startProxy(stand, undo))
  const token = proxy && (await stand.cluster.token())
  const credential =
    proxy && token
      ? { credential: await stand.credential(state, token, { host: proxy.url, caCertificate: proxy.ca }) }
      : {}
  const limit = full ? { max_concurrent_jobs: jobs } : {}
  const groupId = await stand.group(`takeover ${state}`, { ...credential, ...limit, pod: nodes.podSpec })
  return { groupId, templateId: await stand.template('tiny.yml', groupId), proxy }
}

async function startProxy({ stack }: Stand, undo: Undo): Promise<FaultProxy> {
  const proxy = await FaultProxy.before(stack)
  undo.add(() => proxy.stop())
  return proxy
}

/** Launches jobs for every state and waits until they are all where they are to be. */
async function gather(
  stand: Stand,
  store: StoreView,
  stages: ReadonlyMap<State, Stage>,
  jobs: number,
): Promise<Map<State, number[]>> {
  const launched = new Map<State, number[]>()
  for (const [state, { groupId, templateId, proxy }] of stages) {
    const { call } = held[state]
    if (call) proxy?.add({ match: call, fault: { kind: 'hold', when: 'before' }, times: Number.POSITIVE_INFINITY })
    if (state === 'waiting') await stand.client.post(`/instance_groups/${groupId}/drain/`)
    launched.set(state, (await launchMany(stand, templateId, jobs)).ids)
  }
  for (const [state, ids] of launched) await areThere(store, state, ids)
  // Written down before it is done: a moment later the call itself is under way.
  await pause(1_000)
  return launched
}

/** Jobs that stand in line for the groups that are full. */
async function gatherBehind(
  stand: Stand,
  store: StoreView,
  stages: ReadonlyMap<State, Stage>,
  jobs: number,
): Promise<number[]> {
  const behind: number[] = []
  for (const [state, { templateId }] of stages) {
    if (held[state].full) behind.push(...(await launchMany(stand, templateId, jobs)).ids)
  }
  await areThere(store, 'waiting', behind)
  return behind
}

/** Resolves when the jobs are in the state. */
async function areThere(store: StoreView, state: State, ids: number[]): Promise<void> {
  const end = performance.now() + 120_000
  const there = () =>
    store.number(
      `SELECT count(*) FROM unified_jobs j LEFT JOIN attempts a ON a.job_id = j.id WHERE j.id = ANY($1) AND ${held[state].there}`,
      [ids],
    )
  while ((await there()) < ids.length) {
    if (performance.now() > end) throw new Error(`only ${await there()} of ${ids.length} jobs are ${state}`)
    await pause(100)
  }
}

/** What kept the jobs does so no longer: whoever takes them up goes on. */
async function letGo({ client }: Stand, stages: ReadonlyMap<State, Stage>): Promise<void> {
  for (const [state, { groupId, proxy }] of stages) {
    if (state === 'waiting') await client.request('DELETE', `/instance_groups/${groupId}/drain/`)
    proxy?.clear()
  }
}
