/** How many launches an API accepts when nothing else runs, and what each costs it. */
import { join } from 'node:path'
import pg from 'pg'
import { ownDatabase, Undo } from '../test/setup/own-places.ts'
import { Part } from '../test/setup/part.ts'
import { atLeast, atMost, type Bench, info, type Measurement, type Say } from './bench.ts'
import { startParts } from './parts.ts'
import { cpuSeconds } from './processes.ts'
import { launchMany } from './simulated.ts'
import { installation, makeCatalog, ownFolder } from './stand.ts'

/** Launches before the ones that count: what runs often is compiled by then. */
const warmUp = 1_000

/** POST …/launch/ by 16 clients against an API without a worker: nothing takes the jobs up, so all that is measured is the launch. */
export const accept: Bench = {
  name: 'accept',
  about: '2,000 launches (--jobs N) by 16 clients, with no worker: rate and CPU of a launch',
  takes: 'about 20 s',
  run: ({ say, size }) => Undo.after((undo) => measure(say, undo, size('jobs', 2_000))),
}

async function measure(say: Say, undo: Undo, jobs: number): Promise<Measurement[]> {
  const stack = await startParts(say, undo)
  const { id, folder } = ownFolder(undo)
  const databaseUrl = await ownDatabase(stack, id, undo)
  const { client, env } = await installation(stack, folder, { MAYFLY_DATABASE_URL: databaseUrl })
  const api = new Part('api', ['api', '--migrate'], env, join(folder, 'api.log'))
  undo.add(() => api.end('SIGTERM'))
  api.start()
  await api.ready(() => client.answers())
  const { created, template } = await makeCatalog(client, folder)
  const templateId = await template(
    'tiny.yml',
    await created('/instance_groups/', { name: 'bench', is_container_group: true }),
  )
  await launchMany({ client }, templateId, warmUp)

  say(`accept: ${jobs} launches`)
  const database = new pg.Client(databaseUrl)
  await database.connect()
  undo.add(() => database.end())
  const pid = api.pid ?? 0
  const before = cpuSeconds(pid)
  const { ids, perSecond } = await launchMany({ client }, templateId, jobs)
  const used = cpuSeconds(pid) - before
  const { rows } = await database.query('SELECT count(*)::int AS made FROM unified_jobs WHERE id = ANY($1)', [ids])
  if (rows[0]?.made !== jobs) throw new Error(`${rows[0]?.made} jobs were made by ${jobs} launches`)
  return [
    atLeast('accept.launches', perSecond, '/s', 300),
    atMost('accept.cpu', (used * 1000) / jobs, 'ms of CPU of the API a launch', 2.5),
    info('accept.count', jobs, ''),
  ]
}
