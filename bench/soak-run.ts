/** One soak: very many jobs while processes are killed and jobs are cancelled. */
import { setTimeout as pause } from 'node:timers/promises'
import { atMost, info, type Measurement, type Say } from './bench.ts'
import { seeded } from './kubelet/random.ts'
import type { StoreView } from './simulated.ts'
import { Kills } from './soak-kills.ts'
import { openWorkflows, watchMemory, watchPods } from './soak-watch.ts'
import type { Stand } from './stand.ts'

const cancelShare = 0.05
/** Kills stop here, so that the last third tells whether memory stays flat. */
const killUntil = 0.66

/** Where the pods of a soak run, and what follows from that. */
export interface Ground {
  templateId: number
  store: StoreView
  /** How many events a job has that succeeds. */
  eventsOfPlay: number
  /** A process is killed after so many launches, by chance half or half as many again. */
  launchesPerKill: number
  /** Causes for which a job may end otherwise than successful. */
  causes: readonly string[]
  /** Share of the pods that somebody else deletes while they run. Default: none. */
  deletedShare?: number
}

/** Launches the jobs, does to them and to Mayfly what a soak does, waits until all is over, and counts what is not as it must be. Names begin with `name`. */
export async function runSoak(
  stand: Stand,
  name: string,
  { templateId, store, eventsOfPlay, launchesPerKill, causes, deletedShare = 0 }: Ground,
  { jobs, seed, limit }: { jobs: number; seed: number; limit: number },
  say: Say,
): Promise<Measurement[]> {
  const random = seeded(seed)
  const earlier = await store.number('SELECT coalesce(max(id), 0) FROM unified_jobs')
  const begin = performance.now()
  const launched = new Set<number>()
  const cancelled = new Set<number>()
  const over = new AbortController()
  const kills = new Kills(stand, random, launchesPerKill, say)
  const memory = watchMemory(() => kills.workerPid, over.signal)
  const most = watchPods(stand)
  const deletions = deletedShare > 0 ? await deletePods(stand, () => random() < deletedShare) : undefined
  const ended = () =>
    store.number('SELECT count(*) FROM unified_jobs WHERE id > $1 AND finished IS NOT NULL', [earlier])
  let number = 0
  while (launched.size < jobs) {
    // Half as many again as there are places, so that some always wait.
    const room = 1.5 * limit - (launched.size - (await ended()))
    const batch = Array.from({ length: Math.min(room, jobs - launched.size) }, () => number++)
    await Promise.all(
      batch.map(async (index) => {
        const id = await launchOnce(stand, templateId, `${name}-${seed}-${index}`)
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
    if (launched.size % 250 < batch.length) say(`${name}: ${launched.size} launched, ${kills.count} kills`)
  }
  await kills.done
  await store.idle(120)
  const seconds = (performance.now() - begin) / 1000
  over.abort()
  const rows = await store.rows<{ status: string; cause: string | null; count: number }>(
    'SELECT status, cause, count(*)::int AS count FROM unified_jobs WHERE id > $1 GROUP BY status, cause',
    [earlier],
  )
  for (const { status, cause, count } of rows) say(`${name}: ${count} ${status}${cause ? ` (${cause})` : ''}`)
  const sum = (some: typeof rows): number => some.reduce((all, { count }) => all + count, 0)
  const single = (query: string): Promise<number> => store.number(query, [earlier])
  const flat = memory()
  deletions?.stop()
  return [
    atMost(
      `${name}.lost`,
      Math.abs(jobs - launched.size) + Math.abs(jobs - sum(rows)),
      'launches without their one job',
      0,
    ),
    atMost(`${name}.open`, jobs - (await ended()), 'jobs that have not ended', 0),
    atMost(
      `${name}.unexpected`,
      sum(rows.filter(({ status, cause }) => !isExpected(status, cause, causes))),
      'ends that nothing explains',
      0,
    ),
    atMost(
      `${name}.events.wrong`,
      await single(
        `SELECT count(*) FROM unified_jobs j WHERE id > $1 AND status = 'successful' AND ${eventsOfPlay} <>
           (SELECT count(*) FROM job_events e WHERE e.job_id = j.id)`,
      ),
      `successful jobs without exactly ${eventsOfPlay} events`,
      0,
    ),
    atMost(
      `${name}.lines.wrong`,
      await single(
        `SELECT count(*) FROM (SELECT start_line - lag(end_line, 1, 0) OVER (PARTITION BY job_id ORDER BY counter) AS gap
           FROM job_events WHERE job_id > $1) AS lines WHERE gap <> 0`,
      ),
      'events that do not follow the one before',
      0,
    ),
    atMost(
      `${name}.places`,
      await single('SELECT count(*) FROM attempts WHERE job_id > $1 AND released_at IS NULL'),
      'not given back',
      0,
    ),
    atMost(
      `${name}.delivered.twice`,
      await single(
        `SELECT count(*) FROM (SELECT job_id FROM attempts WHERE job_id > $1 AND delivered_at IS NOT NULL
           GROUP BY job_id HAVING count(*) > 1) AS twice`,
      ),
      'jobs whose play was started twice',
      0,
    ),
    atMost(`${name}.outbox`, await store.outbox(), 'messages not sent', 0),
    atMost(`${name}.pods`, await stand.cluster.countPods(), 'left', 0),
    atMost(`${name}.workflows`, await openWorkflows(stand), 'open', 0),
    atMost(`${name}.overshoot`, Math.max(0, (await most()) - limit), 'pods above the limit', 0),
    atMost(`${name}.memory.growth`, flat.growth, 'of the last part’s first half', 1.25),
    info(`${name}.memory`, flat.last, 'MB, worker'),
    info(`${name}.jobs`, jobs, ''),
    info(`${name}.rate`, jobs / seconds, 'jobs/s'),
    info(`${name}.kills`, kills.count, ''),
    info(`${name}.cancels`, cancelled.size, ''),
    ...(deletions ? [info(`${name}.pods.deleted`, deletions.count, 'by somebody else, while they ran')] : []),
  ]
}

function isExpected(status: string, cause: string | null, causes: readonly string[]): boolean {
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

/** Deletes running pods as chance has it, as somebody with kubectl would. */
async function deletePods(
  { cluster }: Stand,
  byChance: () => boolean,
): Promise<{ readonly count: number; stop(): void }> {
  const seen = new Set<string>()
  let count = 0
  const stop = await cluster.watch((_type, { metadata, status }) => {
    const [uid, pod] = [metadata?.uid ?? '', metadata?.name ?? '']
    if (status?.phase !== 'Running' || metadata?.deletionTimestamp || seen.has(uid)) return
    seen.add(uid)
    if (!byChance()) return
    count++
    // One that has just gone is as good.
    cluster.deletePod(pod).catch(() => undefined)
  })
  return {
    get count() {
      return count
    },
    stop,
  }
}
