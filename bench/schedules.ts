/** What many schedules cost while none of them is due, and how punctual one among them is. */
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { eachConcurrently } from '../model/concurrently.ts'
import { atMost, type Bench, info, type Measurement, type Say } from './bench.ts'
import { cpuSeconds, residentMegabytes } from './processes.ts'
import type { Stand } from './stand.ts'
import { percentile } from './statistics.ts'

const count = 10_000
/** Requests in flight while they are made. */
const clients = 16
const settleSeconds = 20
const seconds = 40
/** Schedules that do run, one a second. */
const punctual = 10

/** Daily schedules whose next runs lie hours ahead; the same measured before there was one. */
export const schedules: Bench = {
  name: 'schedules',
  about: `CPU and memory of API and worker with ${count.toLocaleString('en')} schedules, none due; punctuality of a few among them`,
  takes: 'about 8 min',
  async run({ say, stand: start }) {
    const stand = await start()
    const { id: template } = await stand.client.post<{ id: number }>('/workflow_job_templates/', { name: 'nothing' })
    const database = new pg.Client(stand.databaseUrl)
    await database.connect()
    try {
      const before = await load(stand, say, 'without schedules')
      const made = await make(stand, database, template, say)
      const after = await load(stand, say, `with ${count}`)
      const late = await lateness(stand, template, say)
      return [
        atMost('schedules.cpu.more', (after.cpu - before.cpu) * 100, '% of a core', 1),
        info('schedules.cpu.before', before.cpu * 100, '% of a core'),
        info('schedules.cpu.after', after.cpu * 100, '% of a core'),
        // What ten thousand requests left on the heaps, mostly.
        info('schedules.memory.more', after.memory - before.memory, 'MB'),
        ...made,
        ...late,
      ]
    } finally {
      await database.end()
    }
  },
}

/** Share of a core that API and worker use together, and their memory in MB, after they came to rest. */
async function load({ apiPid, workerPid }: Stand, say: Say, what: string): Promise<{ cpu: number; memory: number }> {
  say(`schedules: ${what}: settles for ${settleSeconds} s, then measures for ${seconds} s`)
  await pause(settleSeconds * 1000)
  const used = () => cpuSeconds(apiPid) + cpuSeconds(workerPid)
  const [begin, start] = [used(), performance.now()]
  await pause(seconds * 1000)
  const cpu = (used() - begin) / ((performance.now() - start) / 1000)
  return { cpu, memory: residentMegabytes(apiPid) + residentMegabytes(workerPid) }
}

/** Makes them over HTTP, and waits until Temporal knows them all. */
async function make({ client }: Stand, database: pg.Client, template: number, say: Say): Promise<Measurement[]> {
  say(`schedules: makes ${count}`)
  const soonest = Date.now() + 2 * 3_600_000
  const span = 20 * 3_600_000
  const begin = performance.now()
  await eachConcurrently(Array(count).keys(), clients, (number) => {
    const rrule = `DTSTART:${compact(soonest + (span * number) / count)} RRULE:FREQ=DAILY;INTERVAL=1`
    return client.post('/schedules/', { name: `schedule ${number}`, rrule, unified_job_template: template })
  })
  const posted = performance.now()
  for (;;) {
    const { rows } = await database.query("SELECT count(*)::int AS left FROM outbox WHERE kind = 'plan_schedule'")
    if (rows[0].left === 0) break
    await pause(200)
  }
  const told = performance.now()
  return [
    info('schedules.made', count / ((posted - begin) / 1000), '/s'),
    info('schedules.told', (told - begin) / 1000, 's until Temporal knew all'),
  ]
}

/** How late the jobs of schedules were that ran meanwhile. */
async function lateness({ client }: Stand, template: number, say: Say): Promise<Measurement[]> {
  say(`schedules: ${punctual} of them run`)
  const start = Math.ceil(Date.now() / 1000 + 5) * 1000
  const made = await Promise.all(
    Array.from({ length: punctual }, async (_, number) => {
      const at = start + number * 1000
      const rrule = `DTSTART:${compact(at)} RRULE:FREQ=DAILY;INTERVAL=1;COUNT=1`
      const body = { name: `punctual ${number}`, rrule, unified_job_template: template }
      return { at, id: (await client.post<{ id: number }>('/schedules/', body)).id }
    }),
  )
  await pause(start + punctual * 1000 + 3_000 - Date.now())
  const late = await Promise.all(
    made.map(async ({ at, id }) => {
      const { results } = await client.get<{ results: { created: string }[] }>(`/schedules/${id}/jobs/`)
      const [job] = results
      if (results.length !== 1 || !job) throw new Error(`schedule ${id} launched ${results.length} jobs`)
      return Date.parse(job.created) - at
    }),
  )
  return [info('schedules.late.p50', percentile(late, 0.5), 'ms'), info('schedules.late.max', Math.max(...late), 'ms')]
}

const compact = (milliseconds: number) => `${new Date(milliseconds).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
