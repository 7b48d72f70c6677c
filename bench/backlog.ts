/** What very many waiting jobs cost, whether an urgent one overtakes them, and how long it takes to call them all off. */
import { setTimeout as pause } from 'node:timers/promises'
import { firstPriority } from '../model/priority.ts'
import { atMost, type Bench, info } from './bench.ts'
import type { BenchCluster } from './cluster.ts'
import { cpuSeconds, residentMegabytes } from './processes.ts'
import { cancelMany, launchMany, withSimulation } from './simulated.ts'

const idleSeconds = 15
/** Jobs that are launched over the API; more are made in the store. */
const mostLaunched = 5_000

/** One place, and all the others wait for it. The memory of the whole line is compared with that of its first tenth. */
export const backlog: Bench = {
  name: 'backlog',
  about:
    'jobs that wait, 5,000 of them (--waiting N): memory of the worker, an urgent job behind them, cancel of all, or of so many (--jobs N), the newest first (--cancels oldest)',
  takes: 'about 4 min',
  async run({ say, stand: start, size, cancels }) {
    const stand = await start()
    const waiting = size('waiting', 5_000)
    // A pod at a time, each for some seconds: the line moves, but it does not get shorter to speak of.
    const wishes = { limit: 1, seed: size('seed', 1), plan: { runMs: 4_000 } }
    return await withSimulation(stand, 'backlog', wishes, async ({ templateId, store }) => {
      const tenth = Math.round(waiting / 10)
      const begin = performance.now()
      say(`backlog: ${tenth} wait first`)
      // No more by launches than a minute or so is enough for: how many wait is what matters here, and not how they came.
      const first = await launchMany(stand, templateId, Math.min(tenth, mostLaunched))
      await store.inLine()
      const filled = (performance.now() - begin) / 1000
      const made = await store.restMore(first.ids.at(-1) ?? 0, tenth - first.ids.length)
      await pause(3_000)
      const some = residentMegabytes(stand.workerPid)
      say(`backlog: then ${waiting} do`)
      made.push(...(await store.restMore(first.ids.at(-1) ?? 0, waiting - tenth)))
      await pause(3_000)
      const all = residentMegabytes(stand.workerPid)
      const [cpu, at] = [cpuSeconds(stand.workerPid), performance.now()]
      await pause(idleSeconds * 1000)
      const busy = (cpuSeconds(stand.workerPid) - cpu) / ((performance.now() - at) / 1000)
      const reading = performance.now()
      await stand.client.get('/jobs/?status=pending&page_size=200')
      const page = performance.now() - reading
      const [last] = made.slice(-1)
      const { job_explanation: told } = await stand.client.get<{ job_explanation: string }>(`/jobs/${last}/`)
      const place = Number(/Place (?:about )?(\d+) in line/.exec(told)?.[1] ?? Number.NaN)
      const open = await store.number('SELECT count(*) FROM unified_jobs WHERE finished IS NULL AND run_id IS NOT NULL')
      say('backlog: an urgent one')
      const urgent = await overtake(stand.cluster, async () => {
        const options = { ask_priority_on_launch: true }
        await stand.client.request('PATCH', `/job_templates/${templateId}/`, options)
        return await stand.client.launch(templateId, { priority: firstPriority })
      })
      const left = await store.number("SELECT count(*) FROM unified_jobs WHERE status = 'pending'")
      const kept = made.slice(0, Math.max(0, size('jobs', waiting) - first.ids.length))
      await store.endResting(made.slice(kept.length))
      // Who came last first: of those that go, none is sent to Temporal meanwhile because there is room again. The other way round some are.
      const called = [...first.ids, ...kept, urgent.jobId]
      if (cancels === 'newest') called.reverse()
      say(`backlog: cancels ${called.length}, the ${cancels} first`)
      const cancelling = performance.now()
      const half = Math.ceil(called.length / 2)
      await cancelMany(stand, called.slice(0, half))
      const halfway = performance.now()
      await cancelMany(stand, called.slice(half))
      const asked = (performance.now() - cancelling) / 1000
      const later = (called.length - half) / ((performance.now() - halfway) / 1000)
      await store.idle(120)
      const cancelled = (performance.now() - cancelling) / 1000
      const sent = await store.number('SELECT count(*) FROM unified_jobs WHERE run_id IS NOT NULL')
      return [
        atMost('backlog.memory', all, 'MB, worker', 700),
        atMost('backlog.memory.more', all / some, 'of that with a tenth', 1.1),
        info('backlog.cpu', busy * 100, '% of a core, worker, one pod in 4 s'),
        info('backlog.page', page, 'ms to read 200 of them, each with its place in line'),
        atMost('backlog.urgent', urgent.afterFreeMs, 'ms from the next free place to its pod', 1_000),
        atMost('backlog.urgent.overtaken', urgent.before, 'others got a pod before it', 1),
        info('backlog.waiting', left, ''),
        info('backlog.open', open, 'workflows of them'),
        info('backlog.place', place, 'in line, of the last of them'),
        info('backlog.launched', first.perSecond, '/s'),
        info('backlog.filled', filled, 's until those that were launched waited'),
        info('backlog.cancelled.asked', asked, 's'),
        info('backlog.cancelled.later', later, '/s, of the second half'),
        info('backlog.cancelled.jobs', called.length, ''),
        info('backlog.cancelled.sent', sent, 'jobs that Temporal was told of, in all'),
        atMost('backlog.cancelled', cancelled, 's until all of these were', 300),
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
