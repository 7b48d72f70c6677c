/** Very many jobs while processes are killed, jobs are cancelled, and nodes do what nodes do: nothing may be lost, and nothing may stay. */
import { setTimeout as pause } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import { atMost, type Bench, info, type Measurement, type Say } from './bench.ts'
import { seeded } from './kubelet/random.ts'
import { residentMegabytes } from './processes.ts'
import { type Simulation, type StoreView, withSimulation } from './simulated.ts'
import type { Stand } from './stand.ts'

/** Events of the captured play that simulated pods say. */
const eventsOfPlay = 6
const cancelShare = 0.05
/** A kill comes after so many launches, by chance half or half as many again. */
const launchesPerKill = 150
const lookEveryMs = 2_000
/** Kills stop here, so that the last third tells whether memory stays flat. */
const killUntil = 0.66
/** What the nodes do to jobs, and how a job may then end besides success. */
const shares = { failed: 0.03, killed: 0.02, evicted: 0.02, unpullable: 0.01 }
const causes = ['play_failed', 'out_of_memory', 'pod_evicted', 'image_not_pullable', 'canceled', 'runner_error']

/** A command that fails when anything is not as it must be. */
export const soak: Bench = {
  name: 'soak',
  about:
    '2,000 jobs (--jobs N) under random kills of worker and API, cancels and failing nodes: nothing lost, nothing left',
  takes: 'about 10 min',
  strict: true,
  async run({ say, stand: start, size }) {
    const stand = await start()
    const [jobs, seed, limit] = [size('jobs', 2_000), size('seed', 1), size('limit', 60)]
    const plan = { runMs: 800, shares, cutExecs: 0.03 }
    return await withSimulation(stand, 'soak', { limit, nodes: 3, seed, plan }, (parts) =>
      run(stand, parts, { jobs, seed, limit }, say),
    )
  },
}

async function run(
  stand: Stand,
  { templateId, nodes, store }: Simulation & { store: StoreView },
  { jobs, seed, limit }: { jobs: number; seed: number; limit: number },
  say: Say,
): Promise<Measurement[]> {
  const random = seeded(seed)
  const earlier = await store.number('SELECT coalesce(max(id), 0) FROM unified_jobs')
  const begin = performance.now()
  const launched = new Set<number>()
  const cancelled = new Set<number>()
  const over = new AbortController()
  const kills = new Kills(stand, random, say)
  const memory = watchMemory(() => kills.workerPid, over.signal)
  const most = watchPods(stand)
  const ended = () =>
    store.number('SELECT count(*) FROM unified_jobs WHERE id > $1 AND finished IS NOT NULL', [earlier])
  let number = 0
  while (launched.size < jobs) {
    // Half as many again as there are places, so that some always wait.
    const room = 1.5 * limit - (launched.size - (await ended()))
    const batch = Array.from({ length: Math.min(room, jobs - launched.size) }, () => number++)
    await Promise.all(
      batch.map(async (index) => {
        const id = await launchOnce(stand, templateId, `soak-${seed}-${index}`)
        launched.add(id)
        if (random() < cancelShare) {
          cancelled.add(id)
          await pause(random() * 4_000)
          await persistently(() => stand.client.post(`/jobs/${id}/cancel/`)).catch(() => undefined)
        }
      }),
    )
    if (launched.size < jobs * killUntil) kills.perhaps(launched.size)
    await pause(100)
    if (launched.size % 250 < batch.length) say(`soak: ${launched.size} launched, ${kills.count} kills`)
  }
  await kills.done
  await store.idle(120)
  const seconds = (performance.now() - begin) / 1000
  over.abort()
  const rows = await store.rows<{ status: string; cause: string | null; count: number }>(
    'SELECT status, cause, count(*)::int AS count FROM unified_jobs WHERE id > $1 GROUP BY status, cause',
    [earlier],
  )
  for (const { status, cause, count } of rows) say(`soak: ${count} ${status}${cause ? ` (${cause})` : ''}`)
  const sum = (some: typeof rows): number => some.reduce((all, { count }) => all + count, 0)
  const single = (query: string): Promise<number> => store.number(query, [earlier])
  const flat = memory()
  const counts = await nodes.counts()
  return [
    atMost(
      'soak.lost',
      Math.abs(jobs - launched.size) + Math.abs(jobs - sum(rows)),
      'launches without their one job',
      0,
    ),
    atMost('soak.open', jobs - (await ended()), 'jobs that have not ended', 0),
    atMost(
      'soak.unexpected',
      sum(rows.filter(({ status, cause }) => !isExpected(status, cause))),
      'ends that nothing explains',
      0,
    ),
    atMost(
      'soak.events.wrong',
      await single(
        `SELECT count(*) FROM unified_jobs j WHERE id > $1 AND status = 'successful' AND ${eventsOfPlay} <>
           (SELECT count(*) FROM job_events e WHERE e.job_id = j.id)`,
      ),
      `successful jobs without exactly ${eventsOfPlay} events`,
      0,
    ),
    atMost(
      'soak.lines.wrong',
      await single(
        `SELECT count(*) FROM (SELECT start_line - lag(end_line, 1, 0) OVER (PARTITION BY job_id ORDER BY counter) AS gap
           FROM job_events WHERE job_id > $1) AS lines WHERE gap <> 0`,
      ),
      'events that do not follow the one before',
      0,
    ),
    atMost(
      'soak.places',
      await single('SELECT count(*) FROM attempts WHERE job_id > $1 AND released_at IS NULL'),
      'not given back',
      0,
    ),
    atMost(
      'soak.delivered.twice',
      await single(
        `SELECT count(*) FROM (SELECT job_id FROM attempts WHERE job_id > $1 AND delivered_at IS NOT NULL
           GROUP BY job_id HAVING count(*) > 1) AS twice`,
      ),
      'jobs whose play was started twice',
      0,
    ),
    atMost('soak.outbox', await store.outbox(), 'messages not sent', 0),
    atMost('soak.pods', await stand.cluster.countPods(), 'left', 0),
    atMost('soak.workflows', await openWorkflows(stand), 'open', 0),
    atMost('soak.overshoot', Math.max(0, (await most()) - limit), 'pods above the limit', 0),
    atMost('soak.memory.growth', flat.growth, 'of the last part’s first half', 1.25),
    info('soak.memory', flat.last, 'MB, worker'),
    info('soak.jobs', jobs, ''),
    info('soak.rate', jobs / seconds, 'jobs/s'),
    info('soak.kills', kills.count, ''),
    info('soak.cancels', cancelled.size, ''),
    info('soak.pods.made', counts.pods, ''),
    info('soak.execs', counts.execs, ''),
  ]
}

function isExpected(status: string, cause: string | null): boolean {
  if (status === 'successful') return true
  return (status === 'failed' || status === 'error' || status === 'canceled') && causes.includes(cause ?? '')
}

/** Launches exactly once, however often the API dies meanwhile: the key finds the job that a lost answer spoke of. */
async function launchOnce({ client }: Stand, templateId: number, key: string): Promise<number> {
  const path = `/job_templates/${templateId}/launch/`
  const { job } = await persistently(() =>
    client.request<{ job: number }>('POST', path, {}, { 'idempotency-key': key }),
  )
  return job
}

/** Tries again while the API is away; what it answers is an answer. */
async function persistently<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act()
    } catch (error) {
      const away = error instanceof TypeError || (error instanceof Error && / 50[234] /.test(error.message))
      if (!away) throw error
      await pause(200)
    }
  }
}

/** kill -9 for worker or API as chance has it, and its successor; one at a time. */
class Kills {
  count = 0
  workerPid: number
  done: Promise<unknown> = Promise.resolve()
  readonly #stand: Stand
  readonly #random: () => number
  readonly #say: Say
  #next = launchesPerKill
  #busy = false

  constructor(stand: Stand, random: () => number, say: Say) {
    this.#stand = stand
    this.#random = random
    this.#say = say
    this.workerPid = stand.workerPid
  }

  /** Kills when it is time to; returns at once. */
  perhaps(launched: number): void {
    if (launched < this.#next || this.#busy) return
    this.#next = launched + launchesPerKill * (0.5 + this.#random())
    this.#busy = true
    this.done = this.#kill(this.#random() < 0.6 ? 'worker' : 'api').finally(() => {
      this.#busy = false
    })
    // What failed is told at the end, to whoever waits for the last one.
    this.done.catch(() => {})
  }

  async #kill(victim: 'worker' | 'api'): Promise<void> {
    this.count++
    this.#say(`soak: kills the ${victim}`)
    const pid = await this.#stand.restart(victim)
    if (victim === 'worker') this.workerPid = pid
  }
}

/** Memory of the worker that lived longest: the mean of its second half against that of its first, after it has warmed up. */
function watchMemory(pid: () => number, signal: AbortSignal): () => { growth: number; last: number } {
  let [of, samples]: [number, number[]] = [0, []]
  const timer = setInterval(() => {
    if (pid() !== of) [of, samples] = [pid(), []]
    try {
      samples.push(residentMegabytes(of))
    } catch {
      // It was killed a moment ago.
    }
  }, lookEveryMs)
  signal.addEventListener('abort', () => clearInterval(timer), { once: true })
  return () => {
    const warm = samples.slice(Math.min(15, Math.floor(samples.length / 3)))
    const mean = (some: number[]): number => some.reduce((all, one) => all + one, 0) / some.length
    const half = Math.floor(warm.length / 2)
    return { growth: mean(warm.slice(half)) / mean(warm.slice(0, half)), last: samples.at(-1) ?? Number.NaN }
  }
}

/** The most pods there were at any time that had not ended. */
function watchPods({ cluster }: Stand): () => Promise<number> {
  const live = new Set<string>()
  let most = 0
  const watching = cluster.watch((type, pod) => {
    const uid = pod.metadata?.uid ?? ''
    const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
    if (type === 'DELETED' || ended) live.delete(uid)
    else live.add(uid)
    most = Math.max(most, live.size)
  })
  return async () => {
    const stop = await watching
    stop()
    return most
  }
}

/** Workflows of jobs that are open; visibility is told of an end a moment late, so it is asked until it says none. */
async function openWorkflows({ stack, id }: Stand): Promise<number> {
  const connection = await Connection.connect({ address: stack.temporalAddress })
  try {
    const query = 'ExecutionStatus = "Running" AND WorkflowId STARTS_WITH "job-"'
    let open = Number.NaN
    for (let look = 0; look < 30 && open !== 0; look++) {
      if (look > 0) await pause(1_000)
      const answer = await connection.workflowService.countWorkflowExecutions({ namespace: id, query })
      open = Number(answer.count)
    }
    return open
  } finally {
    await connection.close()
  }
}
