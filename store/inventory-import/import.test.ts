import { asc, eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SourcedGroup, SourcedHost } from '../../model/sourced-inventory.ts'
import type { Store } from '../database.ts'
import { readInventory } from '../inventory.ts'
import { organizations } from '../schema/catalog.ts'
import { groupHosts, groups, hosts, inventories } from '../schema/inventory.ts'
import { inventorySources } from '../schema/updates.ts'
import { storeKinds, testStore } from '../testing.ts'
import { importInventory } from './import.ts'

const host = (name: string, more: Partial<SourcedHost> = {}): SourcedHost => ({
  name,
  variables: {},
  enabled: null,
  instanceId: '',
  ...more,
})
const group = (name: string, more: Partial<SourcedGroup> = {}): SourcedGroup => ({
  name,
  variables: {},
  hosts: [],
  children: [],
  ...more,
})

describe.each(storeKinds)('imports on %s', (kind) => {
  let store: Store
  let organizationId = 0
  let made = 0
  beforeAll(async () => {
    store = await testStore(kind)
    const [organization] = await store.db.insert(organizations).values({ name: 'org' }).returning()
    organizationId = organization?.id ?? 0
  })
  afterAll(() => store.close())

  async function makeTarget(fields: { overwrite?: boolean; overwriteVars?: boolean; inventoryId?: number } = {}) {
    const name = `inventory ${++made}`
    const { overwrite = false, overwriteVars = false } = fields
    const [inventory] = fields.inventoryId
      ? [{ id: fields.inventoryId }]
      : await store.db.insert(inventories).values({ name, organizationId }).returning()
    const inventoryId = inventory?.id ?? 0
    const [source] = await store.db.insert(inventorySources).values({ name, inventoryId }).returning()
    return { inventoryId, inventorySourceId: source?.id ?? 0, overwrite, overwriteVars }
  }
  type Target = Awaited<ReturnType<typeof makeTarget>>

  const bring = (target: Target, sourcedHosts: SourcedHost[], sourcedGroups: SourcedGroup[] = [], variables = {}) =>
    store.db.transaction((tx) => importInventory(tx, target, { hosts: sourcedHosts, groups: sourcedGroups, variables }))
  const rows = (target: Target) =>
    store.db.select().from(hosts).where(eq(hosts.inventoryId, target.inventoryId)).orderBy(asc(hosts.name))
  /** Groups with the names of what is in them. */
  async function tree(target: Target) {
    const found = await readInventory(store.db, target.inventoryId)
    const names = new Map(found?.hosts.map(({ id, name }) => [id, name]))
    return Object.fromEntries(
      (found?.groups ?? []).map(({ name, hostIds, childNames }) => [
        name,
        [...hostIds.map((id) => names.get(id)), ...childNames.map((child) => `${child}/`)].toSorted(),
      ]),
    )
  }

  test('hosts, groups and who is in which are made, with variables of all three', async () => {
    const target = await makeTarget()
    const counts = await bring(
      target,
      [host('web1', { variables: { port: 80 }, enabled: false, instanceId: 'i-1' }), host('db1')],
      [group('web', { hosts: ['web1'], variables: { tier: 'front' } }), group('site', { children: ['web'] })],
      { region: 'here' },
    )
    expect(counts).toEqual({ hosts: 2, groups: 2, hostsDeleted: 0, groupsDeleted: 0 })
    expect(await rows(target)).toMatchObject([
      { name: 'db1', variables: '{}', enabled: true, description: 'imported' },
      { name: 'web1', variables: '{"port": 80}', enabled: false, instanceId: 'i-1' },
    ])
    expect(await tree(target)).toEqual({ web: ['web1'], site: ['web/'] })
    const [inventory] = await store.db.select().from(inventories).where(eq(inventories.id, target.inventoryId))
    expect(inventory?.variables).toBe('{"region": "here"}')
  })

  test('without overwrite what is there stays, and variables are merged', async () => {
    const target = await makeTarget()
    const own = { inventoryId: target.inventoryId, name: 'web1', variables: '# mine\nport: 8080\nowner: me' }
    await store.db.insert(hosts).values([own, { ...own, name: 'mine' }])
    await bring(target, [host('web1', { variables: { port: 80 } }), host('old')], [group('web', { hosts: ['old'] })])
    await bring(target, [host('web1', { variables: { port: 80 } })], [group('web', { hosts: ['web1'] })])
    expect(await rows(target)).toMatchObject([
      { name: 'mine', variables: own.variables },
      { name: 'old' },
      { name: 'web1', variables: '{"port": 80, "owner": "me"}', enabled: true },
    ])
    expect(await tree(target)).toEqual({ web: ['old', 'web1'] })
  })

  test('what does not change keeps the user’s own writing', async () => {
    const target = await makeTarget()
    const variables = '# mine\nport: 80\n'
    await store.db.insert(hosts).values({ inventoryId: target.inventoryId, name: 'web1', variables })
    await bring(target, [host('web1', { variables: { port: 80 } })])
    expect(await rows(target)).toMatchObject([{ variables }])
  })

  test('overwrite deletes what the source itself brought before, and nobody else’s', async () => {
    const target = await makeTarget({ overwrite: true })
    const other = await makeTarget({ inventoryId: target.inventoryId })
    await store.db.insert(hosts).values({ inventoryId: target.inventoryId, name: 'mine' })
    await bring(other, [host('theirs')], [group('theirs', { hosts: ['theirs'] })])
    await bring(
      target,
      [host('web1'), host('web2')],
      [group('web', { hosts: ['web1', 'web2'], children: ['old'] }), group('old')],
    )
    const counts = await bring(target, [host('web1')], [group('web', { hosts: ['web1'] })])
    expect(counts).toEqual({ hosts: 1, groups: 1, hostsDeleted: 1, groupsDeleted: 1 })
    expect((await rows(target)).map(({ name }) => name)).toEqual(['mine', 'theirs', 'web1'])
    expect(await tree(target)).toEqual({ theirs: ['theirs'], web: ['web1'] })
  })

  test('overwrite takes out of its groups what the source does not say', async () => {
    const target = await makeTarget({ overwrite: true })
    const sourced = [group('web', { hosts: ['web1'] }), group('all_of_it', { children: ['web'] })]
    await bring(target, [host('web1'), host('web2')], sourced)
    const [web] = await store.db.select().from(groups).where(eq(groups.name, 'web')).orderBy(asc(groups.id)).limit(1)
    const found = await rows(target)
    const webOfTarget = (await store.db.select().from(groups).where(eq(groups.inventoryId, target.inventoryId))).find(
      ({ name }) => name === 'web',
    )
    expect(web).toBeDefined()
    const added = { groupId: webOfTarget?.id ?? 0, hostId: found.find(({ name }) => name === 'web2')?.id ?? 0 }
    await store.db.insert(groupHosts).values(added)
    await bring(target, [host('web1'), host('web2')], [sourced[0] ?? group('web'), group('all_of_it')])
    expect(await tree(target)).toEqual({ web: ['web1'], all_of_it: [] })
  })

  test('overwrite_vars replaces variables', async () => {
    const target = await makeTarget({ overwriteVars: true })
    await bring(target, [host('web1', { variables: { a: 1, b: 1 } })], [group('web', { variables: { a: 1 } })], {
      a: 1,
    })
    await bring(target, [host('web1', { variables: { a: 2 } })], [group('web', { variables: { b: 2 } })], { b: 2 })
    expect(await rows(target)).toMatchObject([{ variables: '{"a": 2}' }])
    const [web] = await store.db.select().from(groups).where(eq(groups.inventoryId, target.inventoryId))
    expect(web?.variables).toBe('{"b": 2}')
  })

  test('a host that is known by its instance id is renamed, unless the name is taken', async () => {
    const target = await makeTarget({ overwrite: true })
    await bring(target, [host('before', { instanceId: 'i-1' }), host('taken', { instanceId: 'i-2' })])
    const [before] = await rows(target)
    await bring(target, [host('after', { instanceId: 'i-1' }), host('taken', { instanceId: 'i-1' })])
    expect(await rows(target)).toMatchObject([
      { id: before?.id, name: 'after' },
      { name: 'taken', instanceId: 'i-1' },
    ])
  })

  test('ten thousand hosts in two hundred groups are brought, also the second time', async () => {
    const target = await makeTarget({ overwrite: true, overwriteVars: true })
    const many = Array.from({ length: 10_000 }, (_, index) =>
      host(`host${index}`, { variables: { index, some: 'thing' } }),
    )
    const some = Array.from({ length: 200 }, (_, index) =>
      group(`group${index}`, { hosts: many.slice(index * 50, index * 50 + 50).map(({ name }) => name) }),
    )
    expect(await bring(target, many, some)).toMatchObject({ hosts: 10_000, groups: 200 })
    await bring(
      target,
      many.map((one) => ({ ...one, variables: { changed: true } })),
      some,
    )
    expect(await bring(target, many.slice(0, 10), some)).toMatchObject({ hosts: 10, hostsDeleted: 9_990 })
  })
})
