/** How soon a place that became free has the next pod, while very many jobs wait for it; and whether there is ever a pod too many. */
import { setTimeout as pause } from 'node:timers/promises'
import { atMost, type Bench, info } from './bench.ts'
import { cancelMany, launchMany, withSimulation } from './simulated.ts'
import { median, percentile } from './statistics.ts'

/** How many are measured; fewer where fewer wait. */
const mostRefills = 200

/** A watch tells of pods that go and pods that come; the n-th that goes is followed by the n-th that comes after the group was full. */
export const refill: Bench = {
  name: 'refill',
  about:
    'a place became free until the next pod exists, with 2,000 jobs waiting (--waiting N) for 5 places (--limit N)',
  takes: 'about 2 min',
  async run({ say, stand: start, size }) {
    const stand = await start()
    const [waiting, limit] = [size('waiting', 2_000), size('limit', 5)]
    const refills = Math.min(mostRefills, waiting)
    const wishes = { limit, seed: size('seed', 1), plan: { runMs: 1_500 } }
    return await withSimulation(stand, 'refill', wishes, async ({ templateId, store }) => {
      const live = new Set<string>()
      const freed: number[] = []
      const took: number[] = []
      let most = 0
      let counting = false
      const stop = await stand.cluster.watch((type, pod, at) => {
        const uid = pod.metadata?.uid ?? ''
        const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
        if (type === 'DELETED' || ended) {
          if (live.delete(uid) && counting) freed.push(at)
        } else if (!live.has(uid)) {
          live.add(uid)
          most = Math.max(most, live.size)
          const since = freed.shift()
          if (since !== undefined) took.push(at - since)
        }
      })
      try {
        say(`refill: launches ${waiting}`)
        const { ids, perSecond } = await launchMany(stand, templateId, waiting + refills)
        await store.inLine()
        say('refill: all wait')
        // Counted from a moment at which the group is full, so that each pod that goes is followed by the one it made room for.
        while (live.size < limit) await pause(1)
        counting = true
        while (took.length < refills) await pause(50)
        counting = false
        const left = await store.number("SELECT count(*) FROM unified_jobs WHERE status = 'pending'")
        say(`refill: cancels ${left}`)
        const begin = performance.now()
        await cancelMany(stand, ids.reverse())
        await store.idle()
        return [
          atMost('refill.p50', median(took), 'ms', 50),
          atMost('refill.p95', percentile(took, 0.95), 'ms', 200),
          info('refill.max', Math.max(...took), 'ms'),
          atMost('refill.overshoot', Math.max(0, most - limit), 'pods', 0),
          info('refill.waiting', left, ''),
          info('refill.launched', perSecond, '/s'),
          info('refill.cancelled', (performance.now() - begin) / 1000, 's until all were'),
        ]
      } finally {
        stop()
      }
    })
  },
}
