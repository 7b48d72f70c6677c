import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TestApp } from '../testing.ts'
import { openRecordedApp } from '../testing-domain.ts'

let app: TestApp
beforeAll(async () => {
  app = await openRecordedApp()
})
afterAll(() => app.close())

const get = async (path: string) => (await app.call('GET', `/api/v2/${path}`)).body
const post = (path: string, body: unknown) => app.call('POST', `/api/v2/${path}`, body)
const names = (list: { results: { name: string }[] }) => list.results.map(({ name }) => name)

test('counts and failures of an inventory', async () => {
  expect(await get('inventories/3/')).toMatchObject({
    ...{ total_hosts: 5, total_groups: 3, hosts_with_active_failures: 0, has_active_failures: false },
  })
})

test('lists below groups, hosts and inventories', async () => {
  expect(names(await get('groups/3/children/'))).toEqual(['db', 'web'])
  expect(names(await get('groups/3/hosts/'))).toEqual([])
  expect(names(await get('groups/3/all_hosts/'))).toEqual(['h1', 'h2', 'h3'])
  expect(names(await get('hosts/3/groups/'))).toEqual(['web'])
  expect(names(await get('hosts/3/all_groups/'))).toEqual(['site', 'web'])
  expect(names(await get('inventories/3/root_groups/'))).toEqual(['site'])
  expect(names(await get('groups/1/potential_children/'))).toEqual(['db'])
  expect((await get('groups/1/job_host_summaries/')).count).toBe(2)
  expect((await get('hosts/3/job_events/')).count).toBe(1)
  expect(names(await get('inventories/3/job_templates/'))).toContain('rec-ok')
})

test('tree: children inside their parents', async () => {
  const tree = await get('inventories/3/tree/')
  expect(tree).toMatchObject([{ name: 'site', children: [{ name: 'web', children: [] }, { name: 'db' }] }])
})

describe('script', () => {
  test('groups, hosts and variables', async () => {
    expect(await get('inventories/3/script/?hostvars=1&towervars=1&all=1')).toMatchObject({
      all: { vars: { a: 1, b: [1, 2] }, hosts: ['h4', 'hdis'], children: ['db', 'site', 'web'] },
      site: { children: ['web', 'db'], vars: { g: 'site' } },
      _meta: { hostvars: { h1: { ansible_connection: 'local', remote_tower_id: 3 } } },
    })
  })

  test('a slice, one host, and what is neither', async () => {
    expect((await get('inventories/3/script/?subset=slice1of2')).web).toEqual({ hosts: ['h1'], vars: { g: 'web' } })
    expect(await get('inventories/3/script/?host=h1')).toEqual({ ansible_connection: 'local' })
    expect((await app.call('GET', '/api/v2/inventories/3/script/?host=nosuch')).status).toBe(404)
    expect((await app.call('GET', '/api/v2/inventories/3/script/?subset=x')).status).toBe(400)
  })
})

test('variable_data: PUT replaces, PATCH sets', async () => {
  const path = '/api/v2/hosts/6/variable_data/'
  expect((await app.call('PATCH', path, { b: 2 })).body).toEqual({ ansible_connection: 'local', b: 2 })
  expect((await app.call('PUT', path, { c: [1] })).body).toEqual({ c: [1] })
  expect((await app.call('GET', path)).body).toEqual({ c: [1] })
})

test('hosts and groups are made below an inventory and below a group', async () => {
  const host = await post('inventories/4/hosts/', { name: 'made:2222' })
  expect(host.body).toMatchObject({ name: 'made', inventory: 4, variables: '{"ansible_ssh_port":2222}' })
  const group = await post('inventories/4/groups/', { name: 'g1' })
  expect((await post('inventories/4/groups/', { name: 'made' })).body).toEqual({
    __all__: ['A Host with that name already exists.'],
  })
  const inside = await post(`groups/${group.body.id}/hosts/`, { name: 'inside', inventory: 4 })
  expect(inside.status).toBe(201)
  expect(names(await get(`groups/${group.body.id}/hosts/`))).toEqual(['inside'])
})

test('deleting a group takes what only it holds', async () => {
  const make = async (kind: string, name: string) => (await post(`inventories/4/${kind}/`, { name })).body.id as number
  const [top, below, other] = [
    await make('groups', 'top'),
    await make('groups', 'below'),
    await make('groups', 'third'),
  ]
  const [own, shared] = [await make('hosts', 'own'), await make('hosts', 'shared')]
  await post(`groups/${top}/children/`, { id: below })
  await post(`groups/${below}/hosts/`, { id: own })
  await post(`groups/${below}/hosts/`, { id: shared })
  await post(`groups/${other}/hosts/`, { id: shared })
  expect((await app.call('DELETE', `/api/v2/groups/${top}/`)).status).toBe(204)
  const statuses = await Promise.all(
    [`groups/${below}/`, `hosts/${own}/`, `hosts/${shared}/`, `groups/${other}/`].map(
      async (path) => (await app.call('GET', `/api/v2/${path}`)).status,
    ),
  )
  expect(statuses).toEqual([404, 404, 200, 200])
})

test('a copy has hosts, groups and who is in which; deleting is 202', async () => {
  const copy = await post('inventories/3/copy/', { name: 'twin' })
  expect(copy.status).toBe(201)
  const id = copy.body.id
  const [original, twin] = [await get('inventories/3/script/?all=1'), await get(`inventories/${id}/script/?all=1`)]
  expect(twin).toEqual(original)
  expect((await app.call('DELETE', `/api/v2/inventories/${id}/`)).status).toBe(202)
  expect((await app.call('GET', `/api/v2/inventories/${id}/`)).status).toBe(404)
})

test('facts of a host', async () => {
  expect(await get('hosts/3/ansible_facts/')).toEqual({})
})
