/** How fast a launch is answered, and how fast it becomes a pod. */
import { setTimeout as pause } from 'node:timers/promises'
import { atMost, type Bench, info, type Measurement } from './bench.ts'
import type { Stand } from './stand.ts'
import { median, percentile } from './statistics.ts'

const perSecond = 20
const seconds = 15
const idleLaunches = 20

/** Launches at a fixed pace whether or not the earlier ones were answered, so that a slow answer cannot hide the next one. */
async function atPace({ client, group, template }: Stand): Promise<Measurement[]> {
  // One place: the jobs wait in their queue and the machine measures launches, not pods.
  const groupId = await group('one place', { max_concurrent_jobs: 1 })
  const templateId = await template('tiny.yml', groupId)
  const begin = performance.now()
  const launches = Array.from({ length: perSecond * seconds }, async (_, index) => {
    const due = begin + (index * 1000) / perSecond
    await pause(Math.max(0, due - performance.now()))
    const jobId = await client.launch(templateId)
    return { jobId, took: performance.now() - due }
  })
  const done = await Promise.all(launches)
  for (const { jobId } of done) await client.post(`/jobs/${jobId}/cancel/`).catch(() => {})
  for (const { jobId } of done) await client.finished(jobId, 120, 200)
  const took = done.map((one) => one.took)
  return [
    atMost('launch.answered.p50', median(took), 'ms', 15),
    atMost('launch.answered.p99', percentile(took, 0.99), 'ms', 60),
    info('launch.answered.max', Math.max(...took), 'ms'),
    info('launch.rate', perSecond, '/s'),
    info('launch.count', took.length, ''),
  ]
}

/** One launch at a time on an idle system: from sending the request until a watch tells of the pod. */
async function untilPod({ client, cluster, template }: Stand): Promise<Measurement[]> {
  const templateId = await template('tiny.yml')
  const waiting: ((at: number) => void)[] = []
  const stop = await cluster.watch((type, _pod, at) => {
    if (type === 'ADDED') waiting.shift()?.(at)
  })
  const took: number[] = []
  const answered: number[] = []
  try {
    for (let index = 0; index < idleLaunches; index++) {
      const created = new Promise<number>((resolve) => waiting.push(resolve))
      const begin = performance.now()
      const jobId = await client.launch(templateId)
      answered.push(performance.now() - begin)
      took.push((await created) - begin)
      await client.finished(jobId)
      await noPod(cluster)
    }
  } finally {
    stop()
  }
  return [
    atMost('launch.pod.p50', median(took), 'ms', 100),
    info('launch.pod.p95', percentile(took, 0.95), 'ms'),
    info('launch.pod.max', Math.max(...took), 'ms'),
    info('launch.idle.answered.p50', median(answered), 'ms'),
  ]
}

/** Waits until no pod is left, so that the next launch meets an idle system. */
async function noPod(cluster: Stand['cluster']): Promise<void> {
  while ((await cluster.countPods()) > 0) await pause(100)
}

/** POST until 201 at 20 launches a second; POST until the pod exists on an idle system. */
export const launch: Bench = {
  name: 'launch',
  about: `POST until answered at ${perSecond} launches/s; POST until the pod exists, idle`,
  takes: 'about 2 min',
  async run({ say, stand }) {
    const running = await stand()
    say('launch: one at a time')
    const idle = await untilPod(running)
    say(`launch: ${perSecond}/s for ${seconds} s`)
    return [...(await atPace(running)), ...idle]
  },
}
