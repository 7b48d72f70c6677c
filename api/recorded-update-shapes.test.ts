import { readFileSync } from 'node:fs'
import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { instanceGroups } from '../store/schema/catalog.ts'
import { jobEvents, unifiedJobs } from '../store/schema/jobs.ts'
import { inventorySources, systemJobTemplates } from '../store/schema/updates.ts'
import { makeEvent } from '../store/testing-data.ts'
import { openTestApp, type TestApp } from './testing.ts'
import { awxKeys } from './testing-additions.ts'

/** Keys of one object as AWX 24.6.1 answered it: its own, those of `related`, and those inside every entry of `summary_fields`. */
interface Shape {
  keys: string[]
  related: string[]
  summary_fields: Record<string, string[] | null>
}

const shapes: Record<string, Shape> = JSON.parse(
  readFileSync(new URL('./fixtures/recorded/update-shapes.json', import.meta.url), 'utf8'),
)

/** Links to what does not exist here yet; they come with those resources. */
const later = new Set(['access_list', 'activity_stream', 'next_schedule', 'object_roles', 'schedules'])
/** Links that we have beside AWX's, which leaves some of them to chance: who started a job is its `modified_by` for a moment. */
const tolerated = new Set([
  'modified_by',
  'execution_environment',
  'last_job',
  'last_update',
  'credentials',
  'source_project',
])

let app: TestApp
const ids: Record<string, number> = {}

const make = async (path: string, body: object) => (await app.make(path, body)).id

/** The job as if it had run. */
async function ended(id: number): Promise<void> {
  const [group] = await app.store.db.select().from(instanceGroups).limit(1)
  await app.store.db
    .update(unifiedJobs)
    .set({
      status: 'successful',
      started: sql`now()`,
      finished: sql`now()`,
      instanceGroupId: group?.id,
      executionEnvironmentId: ids.environment,
      eventsEmitted: 1,
      eventsStored: 1,
    })
    .where(eq(unifiedJobs.id, id))
  const { stdoutRaw: _none, ...event } = makeEvent(1)
  await app.store.db.insert(jobEvents).values({ ...event, jobId: id, hostId: ids.host })
}

beforeAll(async () => {
  app = await openTestApp()
  const organization = await make('organizations', { name: 'org' })
  ids.inventory = await make('inventories', { name: 'hosts', organization })
  ids.host = await make('hosts', { name: 'h1', inventory: ids.inventory })
  ids.environment = await make('execution_environments', { name: 'ee', image: 'registry.example.org/ee:1' })
  const types = await app.call('GET', '/api/v2/credential_types/?kind=ssh')
  const credential = await make('credentials', { name: 'm', organization, credential_type: types.body.results[0].id })
  const git = { scm_type: 'git', scm_url: 'https://git.example.org/hosts.git' }
  const project = await make('projects', { name: 'git', organization, ...git })
  const command = { inventory: ids.inventory, credential, module_args: 'id' }
  ids.ad_hoc_command = await make('ad_hoc_commands', command)
  const source = { name: 'source', inventory: ids.inventory, source: 'scm', source_project: project }
  ids.inventory_source = await make('inventory_sources', source)
  ids.never_updated = await make('inventory_sources', { ...source, name: 'never updated' })
  ids.inventory_update = await make(`inventory_sources/${ids.inventory_source}/update`, {})
  ids.constructed_inventory = await make('constructed_inventories', { name: 'constructed', organization })
  const templates = await app.call('GET', '/api/v2/system_job_templates/?job_type=cleanup_tokens')
  ids.system_job_template = templates.body.results[0].id
  ids.system_job = await make(`system_job_templates/${ids.system_job_template}/launch`, { extra_vars: {} })
  for (const name of ['ad_hoc_command', 'inventory_update', 'system_job']) await ended(ids[name] ?? 0)
  const { inventory_update: projectUpdateId } = ids
  await app.store.db
    .update(unifiedJobs)
    .set({ projectUpdateId })
    .where(eq(unifiedJobs.id, ids.inventory_update ?? 0))
  await app.store.db
    .update(inventorySources)
    .set({ currentJobId: null, lastJobId: ids.inventory_update, lastJobRun: sql`now()`, status: 'successful' })
    .where(eq(inventorySources.id, ids.inventory_source ?? 0))
  await app.store.db.update(systemJobTemplates).set({ currentJobId: null })
})
afterAll(() => app.close())

function expectShape(name: string, body: Record<string, Record<string, unknown>>): void {
  const shape = shapes[name] ?? { keys: [], related: [], summary_fields: {} }
  const plain = (links: string[]) => links.filter((link) => !tolerated.has(link) && !later.has(link)).toSorted()
  expect(awxKeys(body).toSorted()).toEqual(shape.keys)
  expect(plain(awxKeys(body.related ?? {}))).toEqual(plain(shape.related))
  for (const [key, keys] of Object.entries(shape.summary_fields)) {
    if (key === 'object_roles' || tolerated.has(key)) continue
    const value = body.summary_fields?.[key]
    const entry = Array.isArray(value) ? value[0] : value
    expect([key, keys && Object.keys(entry ?? {}).toSorted()]).toEqual([key, keys])
  }
  const known = Object.keys(shape.summary_fields)
  const extra = Object.keys(body.summary_fields ?? {}).filter((key) => !known.includes(key) && !tolerated.has(key))
  expect(extra).toEqual([])
}

test.each([
  ['ad_hoc_command', 'ad_hoc_commands'],
  ['inventory_source', 'inventory_sources'],
  ['inventory_update', 'inventory_updates'],
  ['constructed_inventory', 'constructed_inventories'],
  ['system_job_template', 'system_job_templates'],
  ['system_job', 'system_jobs'],
])('%s has the keys AWX gives it', async (name, path) => {
  expectShape(name, (await app.call('GET', `/api/v2/${path}/${ids[name]}/`)).body)
})

test.each([
  ['ad_hoc_command_event', 'ad_hoc_commands', 'ad_hoc_command'],
  ['inventory_update_event', 'inventory_updates', 'inventory_update'],
  ['system_job_event', 'system_jobs', 'system_job'],
])('%s has the keys AWX gives it', async (name, path, job) => {
  expectShape(name, (await app.call('GET', `/api/v2/${path}/${ids[job]}/events/`)).body.results[0])
})

test.each([
  ['inventory_update started', () => `inventory_sources/${ids.never_updated}/update/`, {}],
  ['system_job launched', () => `system_job_templates/${ids.system_job_template}/launch/`, { extra_vars: {} }],
])('%s: the answer has the keys AWX gives it', async (name, path, body) => {
  const answer = await app.call('POST', `/api/v2/${path()}`, body)
  expect(answer.headers.get('location')).toBe(answer.body.url)
  expectShape(name, answer.body)
})
