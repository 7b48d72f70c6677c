import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { outbox } from '../../store/schema/runtime.ts'
import { projects } from '../../store/schema/templates.ts'
import { inventorySources } from '../../store/schema/updates.ts'
import { openTestApp, type TestApp } from '../testing.ts'

let app: TestApp
const ids = { organization: 0, inventory: 0, project: 0, manual: 0, machine: 0, cloud: 0, constructed: 0 }

const make = async (path: string, body: object) => (await app.make(path, body)).id

beforeAll(async () => {
  app = await openTestApp()
  ids.organization = await make('organizations', { name: 'org' })
  const { organization } = ids
  ids.inventory = await make('inventories', { name: 'hosts', organization })
  ids.constructed = await make('constructed_inventories', { name: 'constructed', organization })
  const git = { scm_type: 'git', scm_url: 'https://git.example.org/hosts.git' }
  ids.project = await make('projects', { name: 'git', organization, ...git })
  const [manual] = await app.store.db
    .insert(projects)
    .values({ name: 'manual', organizationId: organization })
    .returning()
  ids.manual = manual?.id ?? 0
  const types = await app.call('GET', '/api/v2/credential_types/?kind=ssh')
  ids.machine = await make('credentials', { name: 'm', organization, credential_type: types.body.results[0].id })
  const fields = [{ id: 'key', label: 'Key', type: 'string', secret: true }]
  const type = await make('credential_types', { name: 'our cloud', kind: 'cloud', inputs: { fields } })
  ids.cloud = await make('credentials', { name: 'c', organization, credential_type: type, inputs: { key: 'k3y' } })
})
afterAll(() => app.close())

let made = 0
const post = (body: Record<string, unknown>) =>
  app.call('POST', '/api/v2/inventory_sources/', {
    ...{ name: `source ${++made}`, inventory: ids.inventory, source: 'scm', source_project: ids.project },
    ...body,
  })

describe('what is refused, mostly in AWX’s words', () => {
  test.each([
    ['no source', () => ({ source: undefined }), { source: ['This field may not be blank.'] }],
    [
      'no project',
      () => ({ source_project: undefined }),
      { source_project: ['Project required for scm type sources.'] },
    ],
    [
      'a manual project',
      () => ({ source_project: ids.manual }),
      { source_project: ['Cannot use manual project for SCM-based inventory.'] },
    ],
    [
      'a constructed inventory',
      () => ({ inventory: ids.constructed }),
      { inventory: { detail: 'Cannot create Inventory Source for Smart or Constructed Inventories' } },
    ],
    [
      'the plugin constructed by hand',
      () => ({ source: 'constructed', source_project: null }),
      { error: ['constructed not a valid source for inventory'] },
    ],
    ['a path without a project', () => ({ source: 'ec2' }), { detail: ['Cannot set source_project if not SCM type.'] }],
    [
      'a branch that the project does not allow',
      () => ({ scm_branch: 'other' }),
      { scm_branch: ['Project does not allow overriding branch.'] },
    ],
    [
      'environment that is not to be changed',
      () => ({ source_vars: 'PATH: /tmp' }),
      { source_vars: ['`PATH` is a prohibited environment variable'] },
    ],
    [
      'a credential of another service',
      () => ({ source: 'ec2', source_project: null, credential: ids.machine }),
      {
        credential: ['Cloud-based inventory sources (such as ec2) require credentials for the matching cloud service.'],
      },
    ],
    [
      'a cloud without a credential',
      () => ({ source: 'gce', source_project: null }),
      { credential: ['Credential is required for a cloud source.'] },
    ],
    [
      'a credential that does not exist',
      () => ({ credential: 99999 }),
      { credential: ['Invalid pk "99999" - object does not exist.'] },
    ],
    [
      'a filter that is no regular expression',
      () => ({ host_filter: 'web(' }),
      { host_filter: [expect.stringMatching(/^This is not a regular expression: /)] },
    ],
    [
      'a path out of the project',
      () => ({ source_path: 'a/../../b' }),
      { source_path: ['The path must not lead out of the project: leave out "..".'] },
    ],
  ])('%s', async (_, body, answer) => {
    const { status, body: complaints } = await post(body())
    expect([status, complaints]).toEqual([400, answer])
  })
})

test('a source has its credential by the old field and by the list, and counts at its inventory', async () => {
  const { status, body } = await post({ source: 'gce', source_project: null, credential: ids.cloud })
  expect(status, JSON.stringify(body)).toBe(201)
  expect(body).toMatchObject({
    credential: ids.cloud,
    status: 'never updated',
    related: { named_url: `/api/v2/inventory_sources/${body.name}++hosts++org/` },
    summary_fields: { credentials: [{ id: ids.cloud, cloud: true }], organization: { id: ids.organization } },
  })
  const list = `${body.url}credentials/`
  expect((await app.call('POST', list, { id: ids.machine })).status).toBe(400)
  expect((await app.call('POST', list, { id: ids.cloud, disassociate: true })).status).toBe(204)
  expect((await app.call('GET', body.url)).body.credential).toBeNull()
  const { body: inventory } = await app.call('GET', `/api/v2/inventories/${ids.inventory}/`)
  expect(inventory).toMatchObject({ has_inventory_sources: true, inventory_sources_with_failures: 0 })
})

describe('updates', () => {
  test('are made and started, and a source at work is not deleted', async () => {
    const { body: source } = await post({ source_path: 'hosts.ini', overwrite: true, verbosity: 2, limit: 'web' })
    expect((await app.call('GET', `${source.url}update/`)).body).toEqual({ can_update: true })
    const { status, body, headers } = await app.call(
      'POST',
      `${source.url}update/`,
      {},
      { headers: { 'Idempotency-Key': 'a' } },
    )
    expect([status, headers.get('location')]).toEqual([202, `/api/v2/inventory_updates/${body.inventory_update}/`])
    expect(body).toMatchObject({
      name: `hosts - ${source.name}`,
      status: 'pending',
      source_path: 'hosts.ini',
      overwrite: true,
      verbosity: 2,
      limit: 'web',
    })
    const again = await app.call('POST', `${source.url}update/`, {}, { headers: { 'Idempotency-Key': 'a' } })
    expect(again.body.inventory_update).toBe(body.inventory_update)
    const messages = await app.store.db.select().from(outbox).where(eq(outbox.subjectId, body.inventory_update))
    expect(messages).toMatchObject([{ kind: 'start' }])
    expect((await app.call('GET', source.url)).body).toMatchObject({ status: 'pending' })
    const refused = await app.call('DELETE', source.url)
    expect(refused).toMatchObject({
      status: 409,
      body: { active_jobs: [{ id: body.inventory_update, type: 'inventory_update' }] },
    })
    expect((await app.call('POST', `${body.url}cancel/`)).status).toBe(202)
    expect((await app.call('DELETE', source.url)).status).toBe(204)
  })

  test('of what cannot be updated are refused', async () => {
    const [file] = await app.store.db
      .insert(inventorySources)
      .values({ name: 'file', inventoryId: ids.inventory, source: 'file' })
      .returning()
    const path = `/api/v2/inventory_sources/${file?.id}/`
    expect((await app.call('GET', `${path}update/`)).body).toEqual({ can_update: false })
    expect((await app.call('POST', `${path}update/`)).status).toBe(405)
    expect((await app.call('DELETE', path)).status).toBe(204)
  })

  test('of all sources of an inventory', async () => {
    const inventory = await make('inventories', { name: 'empty', organization: ids.organization })
    const path = `/api/v2/inventories/${inventory}/update_inventory_sources/`
    expect(await app.call('POST', path)).toMatchObject({
      status: 400,
      body: { detail: 'No inventory sources to update.' },
    })
    const [one, two] = [await post({ inventory }), await post({ inventory })]
    expect((await app.call('GET', path)).body).toEqual(
      [one, two].map(({ body }) => ({ inventory_source: body.id, can_update: true })),
    )
    const { status, body } = await app.call('POST', path)
    expect(status).toBe(202)
    expect(body).toMatchObject([
      { inventory_source: one.body.id, status: 'started', type: 'inventory_update' },
      { inventory_source: two.body.id, status: 'started' },
    ])
    const jobs = await app.store.db.select().from(unifiedJobs).where(eq(unifiedJobs.inventoryId, inventory))
    expect(jobs.map(({ id }) => id).toSorted()).toEqual(body.map((update: { id: number }) => update.id).toSorted())
  })
})

describe('a constructed inventory', () => {
  test('has one source, with its fields on the inventory, and inputs that are not constructed themselves', async () => {
    const path = `/api/v2/constructed_inventories/${ids.constructed}/`
    const changed = await app.call('PATCH', path, { source_vars: 'groups: {}', verbosity: 2, limit: 'web' })
    expect(changed).toMatchObject({ status: 200, body: { source_vars: 'groups: {}', verbosity: 2, limit: 'web' } })
    const { body: sources } = await app.call('GET', `/api/v2/inventories/${ids.constructed}/inventory_sources/`)
    expect(sources).toMatchObject({
      count: 1,
      results: [
        {
          ...{ name: 'Auto-created source for: constructed', source: 'constructed', overwrite: true },
          ...{ overwrite_vars: true, update_on_launch: true, source_vars: 'groups: {}', verbosity: 2 },
        },
      ],
    })
    const source = sources.results[0].url
    expect((await app.call('PATCH', source, { limit: 'db' })).status).toBe(200)
    expect((await app.call('GET', path)).body.limit).toBe('db')
    expect((await app.call('PATCH', source, { overwrite: false })).status).toBe(400)
    const inputs = `/api/v2/inventories/${ids.constructed}/input_inventories/`
    expect((await app.call('POST', inputs, { id: ids.inventory })).status).toBe(204)
    expect((await app.call('POST', inputs, { id: ids.constructed })).status).toBe(400)
    expect((await app.call('GET', inputs)).body).toMatchObject({ count: 1, results: [{ id: ids.inventory }] })
    expect((await app.call('GET', `/api/v2/inventories/${ids.constructed}/`)).body).toMatchObject({
      type: 'inventory',
      kind: 'constructed',
      total_inventory_sources: 0,
      related: { constructed_url: path, input_inventories: inputs },
    })
  })

  test('has a copy with the same inputs and the same words', async () => {
    const original = (await app.call('GET', `/api/v2/constructed_inventories/${ids.constructed}/`)).body
    const copied = await app.call('POST', `/api/v2/inventories/${ids.constructed}/copy/`, { name: 'twin' })
    expect(copied.status).toBe(201)
    const twin = (await app.call('GET', `/api/v2/constructed_inventories/${copied.body.id}/`)).body
    const { source_vars, limit, verbosity } = original
    expect(twin).toMatchObject({ name: 'twin', kind: 'constructed', source_vars, limit, verbosity })
    const inputs = await app.call('GET', `/api/v2/inventories/${copied.body.id}/input_inventories/`)
    expect(inputs.body).toMatchObject({ count: 1, results: [{ id: ids.inventory }] })
    expect((await app.call('GET', `/api/v2/inventories/${copied.body.id}/inventory_sources/`)).body.count).toBe(1)
  })
})
