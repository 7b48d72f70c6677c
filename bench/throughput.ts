/** How many jobs a second go the whole way, and what each costs whom. */
import { setTimeout as pause } from 'node:timers/promises'
import { auditEnd, auditSince, isExec, isWrite } from './audit.ts'
import { atLeast, atMost, type Bench, info, type Measurement, type Say } from './bench.ts'
import { partsOf, perJob, usedBy } from './cpu-account.ts'
import { launchMany, type Simulation, type StoreView, withSimulation } from './simulated.ts'
import type { Stand } from './stand.ts'
import { median, percentile } from './statistics.ts'

/** From the first POST to the last pod gone, all jobs at once; then as many as are done at a steady load, minute after minute. */
export const throughput: Bench = {
  name: 'throughput',
  about:
    '500 jobs at once (--jobs N), POST until the pod is gone, with CPU by process; then a steady load (--minutes N)',
  takes: 'about 2 min',
  async run({ say, stand: start, size }) {
    const stand = await start()
    const jobs = size('jobs', 500)
    const minutes = size('minutes', 1)
    const wishes = { limit: size('limit', 500), seed: size('seed', 1) }
    return await withSimulation(stand, 'throughput', wishes, async (parts) => {
      // The first jobs of a group pay for its line and its connections.
      await launchMany(stand, parts.templateId, 20)
      await parts.store.idle()
      return [...(await burst(stand, parts, jobs, say)), ...(await steady(stand, parts, minutes, say))]
    })
  },
}

async function burst(
  stand: Stand,
  { nodes, templateId, store }: Simulation & { store: StoreView },
  jobs: number,
  say: Say,
): Promise<Measurement[]> {
  say(`throughput: ${jobs} at once`)
  const parts = await partsOf(stand, { 'simulated nodes': nodes.pid })
  const { auditLogPath } = stand
  const from = auditLogPath ? auditEnd(auditLogPath) : 0
  const before = usedBy(parts)
  let gone = 0
  let lastGone = 0
  const stop = await stand.cluster.watch((type, _pod, at) => {
    if (type !== 'DELETED') return
    gone++
    lastGone = at
  })
  const begin = performance.now()
  const { ids, perSecond } = await launchMany(stand, templateId, jobs)
  while (gone < jobs) await pause(20)
  stop()
  await store.idle()
  const after = usedBy(parts)
  const took = (lastGone - begin) / 1000
  const statuses = await store.rows<{ status: string; count: string }>(
    'SELECT status, count(*) FROM unified_jobs WHERE id = ANY($1) GROUP BY status',
    [ids],
  )
  const successful = Number(statuses.find(({ status }) => status === 'successful')?.count ?? 0)
  if (successful !== jobs) throw new Error(`not all jobs succeeded: ${JSON.stringify(statuses)}`)
  const waits = await store.rows<{ seconds: number }>(
    'SELECT extract(epoch FROM started - created)::float AS seconds FROM unified_jobs WHERE id = ANY($1)',
    [ids],
  )
  await pause(2_000)
  const requests = auditLogPath
    ? auditSince(auditLogPath, from, stand.username).filter(({ verb }) => verb !== 'watch')
    : []
  const writes = requests.filter(isWrite).length
  const counts = await nodes.counts()
  return [
    atLeast('throughput.jobs', jobs / took, '/s', 28),
    atLeast('throughput.launches', perSecond, '/s accepted meanwhile', 300),
    info('throughput.took', took, 's'),
    info('throughput.started.p50', median(waits.map(({ seconds }) => seconds)), 's after its launch'),
    info(
      'throughput.started.p95',
      percentile(
        waits.map(({ seconds }) => seconds),
        0.95,
      ),
      's after its launch',
    ),
    info('throughput.pods.most', counts.most, 'at once'),
    ...(requests.length > 0
      ? [
          atMost('throughput.kubernetes.writes', writes / jobs, 'a job', 4),
          atMost('throughput.kubernetes.reads', (requests.length - writes) / jobs, 'a job', 6),
          info('throughput.kubernetes.execs', requests.filter(isExec).length / jobs, 'a job, of the reads'),
        ]
      : []),
    ...perJob('throughput', before, after, jobs),
  ]
}

const inFlight = 60
const windowMs = 15_000

/** A new job for each that ends; the rate of the last third against that of the first tells of drift. */
async function steady(
  stand: Stand,
  { templateId, store }: Simulation & { store: StoreView },
  minutes: number,
  say: Say,
): Promise<Measurement[]> {
  say(`throughput: ${inFlight} at any time for ${minutes} min`)
  let gone = 0
  let running = true
  const launches: Promise<unknown>[] = []
  const launch = () => launches.push(stand.client.launch(templateId))
  const stop = await stand.cluster.watch((type) => {
    if (type !== 'DELETED') return
    gone++
    if (running) launch()
  })
  for (let index = 0; index < inFlight; index++) launch()
  // What it takes to get there is not the steady state.
  await pause(5_000)
  const windows: number[] = []
  while (windows.length * windowMs < minutes * 60_000) {
    const [from, begin] = [gone, performance.now()]
    await pause(windowMs)
    windows.push((gone - from) / ((performance.now() - begin) / 1000))
  }
  running = false
  await Promise.all(launches)
  await store.idle()
  stop()
  const third = Math.max(1, Math.floor(windows.length / 3))
  const mean = (values: number[]): number => values.reduce((all, one) => all + one, 0) / values.length
  return [
    atLeast('throughput.steady.jobs', mean(windows), '/s', 28),
    info('throughput.steady.least', Math.min(...windows), `/s in ${windowMs / 1000} s`),
    atLeast(
      'throughput.steady.drift',
      mean(windows.slice(-third)) / mean(windows.slice(0, third)),
      'last by first',
      0.9,
    ),
  ]
}
