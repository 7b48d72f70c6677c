/** How many launches an API accepts when nothing else runs, and what each costs it. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { ownDatabase, Undo } from '../test/setup/own-places.ts'
import { Part } from '../test/setup/part.ts'
import { atLeast, atMost, type Bench, info, type Measurement, type Say } from './bench.ts'
import type { ApiClient } from './client.ts'
import { startParts } from './parts.ts'
import { tinyPlaybook } from './playbooks.ts'
import { cpuSeconds } from './processes.ts'
import { launchMany } from './simulated.ts'
import { installation } from './stand.ts'

/** Launches before the ones that count: what runs often is compiled by then. */
const warmUp = 1_000

/** POST …/launch/ by 16 clients against an API without a worker: nothing takes the jobs up, so all that is measured is the launch. */
export const accept: Bench = {
  name: 'accept',
  about: '2,000 launches (--jobs N) by 16 clients, with no worker: rate, CPU and statements of a launch',
  takes: 'about 20 s',
  async run({ say, size }) {
    const undo = new Undo()
    try {
      return await measure(say, undo, size('jobs', 2_000))
    } finally {
      await undo.all()
    }
  },
}

async function measure(say: Say, undo: Undo, jobs: number): Promise<Measurement[]> {
  const stack = await startParts(say, undo)
  const id = `bench-${randomBytes(3).toString('hex')}`
  const folder = mkdtempSync(join(tmpdir(), `mayfly-${id}-`))
  undo.add(async () => rmSync(folder, { recursive: true, force: true }))
  const databaseUrl = await ownDatabase(stack, id, undo)
  const { client, env } = await installation(stack, folder, { MAYFLY_DATABASE_URL: databaseUrl })
  const api = new Part('api', ['api', '--migrate'], env, join(folder, 'api.log'))
  undo.add(() => api.end('SIGTERM'))
  api.start()
  await api.ready(() => client.answers())
  const templateId = await makeTemplate(client, folder)
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

async function makeTemplate(client: ApiClient, folder: string): Promise<number> {
  mkdirSync(join(folder, 'projects', 'bench'), { recursive: true })
  writeFileSync(join(folder, 'projects', 'bench', 'tiny.yml'), tinyPlaybook)
  const created = async (path: string, body: object): Promise<number> =>
    (await client.post<{ id: number }>(path, body)).id
  const organization = await client.idOf('organizations', 'Default')
  const project = await created('/projects/', { name: 'bench', organization, scm_type: '', local_path: 'bench' })
  const inventory = await created('/inventories/', { name: 'bench', organization })
  const group = await created('/instance_groups/', { name: 'bench', is_container_group: true })
  const body = { name: 'tiny', project, inventory, playbook: 'tiny.yml', allow_simultaneous: true }
  const template = await created('/job_templates/', body)
  await client.post(`/job_templates/${template}/instance_groups/`, { id: group })
  return template
}
