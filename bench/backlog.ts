/** What very many waiting jobs cost, whether an urgent one overtakes them, and how long it takes to call them all off. */
import { setTimeout as pause } from 'node:timers/promises'
import { firstPriority } from '../model/priority.ts'
import { atMost, type Bench, info } from './bench.ts'
import type { BenchCluster } from './cluster.ts'
import { cpuSeconds, residentMegabytes } from './processes.ts'
import { cancelMany, launchMany, withSimulation } from './simulated.ts'

const idleSeconds = 15

/** One place, and all the others wait for it. The memory of the whole line is compared with that of its first tenth. */
export const backlog: Bench = {
  name: 'backlog',
  about: 'jobs that wait, 5,000 of them (--waiting N): memory of the worker, an urgent job behind them, cancel of all',
  takes: 'about 4 min',
  async run({ say, stand: start, size }) {
    const stand = await start()
    const waiting = size('waiting', 5_000)
    // A pod at a time, each for some seconds: the line moves, but it does not get shorter to speak of.
    const wishes = { limit: 1, seed: size('seed', 1), plan: { runMs: 4_000 } }
    return await withSimulation(stand, 'backlog', wishes, async ({ templateId, store }) => {
      const inLine = () =>
        store.number("SELECT count(*) FROM unified_jobs WHERE status = 'pending' AND waiting_since IS NOT NULL")
      const fill = async (count: number) => {
        const launched = await launchMany(stand, templateId, count)
        const wanted = (await store.number("SELECT count(*) FROM unified_jobs WHERE status = 'pending'")) - 5
        const begin = performance.now()
        // The rate at which they come to wait, and not that of the launches, is the worker's.
        while ((await store.outbox()) > 0 || (await inLine()) < wanted) await pause(250)
        return { ...launched, seconds: (performance.now() - begin) / 1000 }
      }
      const begin = performance.now()
      say(`backlog: ${Math.round(waiting / 10)} wait first`)
      const first = await fill(Math.round(waiting / 10))
      await pause(3_000)
      const some = residentMegabytes(stand.workerPid)
      say(`backlog: then ${waiting} do`)
      const rest = await fill(waiting - first.ids.length)
      const filled = (performance.now() - begin) / 1000
      await pause(3_000)
      const all = residentMegabytes(stand.workerPid)
      const [cpu, at] = [cpuSeconds(stand.workerPid), performance.now()]
      await pause(idleSeconds * 1000)
      const busy = (cpuSeconds(stand.workerPid) - cpu) / ((performance.now() - at) / 1000)
      const reading = performance.now()
      await stand.client.get('/jobs/?status=pending&page_size=200')
      const page = performance.now() - reading
      say('backlog: an urgent one')
      const urgent = await overtake(stand.cluster, async () => {
        const options = { ask_priority_on_launch: true }
        await stand.client.request('PATCH', `/job_templates/${templateId}/`, options)
        return await stand.client.launch(templateId, { priority: firstPriority })
      })
      const left = await store.number("SELECT count(*) FROM unified_jobs WHERE status = 'pending'")
      say(`backlog: cancels ${left}`)
      const cancelling = performance.now()
      await cancelMany(stand, [...first.ids, ...rest.ids, urgent.jobId])
      const asked = (performance.now() - cancelling) / 1000
      await store.idle(120)
      return [
        atMost('backlog.memory', all, 'MB, worker', 700),
        atMost('backlog.memory.more', all / some, 'of that with a tenth', 1.1),
        info('backlog.cpu', busy * 100, '% of a core, worker, one pod in 4 s'),
        info('backlog.page', page, 'ms to read 200 of them, each with its place in line'),
        atMost('backlog.urgent', urgent.afterFreeMs, 'ms from the next free place to its pod', 1_000),
        atMost('backlog.urgent.overtaken', urgent.before, 'others got a pod before it', 1),
        info('backlog.waiting', left, ''),
        info('backlog.launched', rest.perSecond, '/s'),
        info('backlog.filled', filled, 's until all waited in line'),
        info('backlog.cancelled.asked', asked, 's'),
        atMost('backlog.cancelled', (performance.now() - cancelling) / 1000, 's until all were', 300),
      ]
    })
  },
}

/** Launches one and tells how long after a place became free its pod came, and how many came between the launch and it. */
async function overtake(
  cluster: BenchCluster,
  launch: () => Promise<number>,
): Promise<{ jobId: number; afterFreeMs: number; before: number }> {
  const came: { name: string; at: number; freedAt: number }[] = []
  let freedAt = Number.NaN
  let wake: () => void = () => {}
  const known = new Set<string>()
  const stop = await cluster.watch((type, pod, at) => {
    const name = pod.metadata?.name ?? ''
    if (type === 'DELETED') freedAt = at
    else if (!known.has(name)) {
      known.add(name)
      came.push({ name, at, freedAt })
      wake()
    }
  })
  try {
    const jobId = await launch()
    const launched = performance.now()
    for (;;) {
      const mine = came.find(({ name }) => name.startsWith(`automation-job-${jobId}-`))
      if (mine) {
        const before = came.filter(({ at }) => at > launched && at < mine.at).length
        return { jobId, before, afterFreeMs: mine.at - Math.max(mine.freedAt, launched) }
      }
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    stop()
  }
}
