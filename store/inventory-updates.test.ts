import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from './database.ts'
import {
  hostLimit,
  inputInventories,
  inventoryUpdatesBefore,
  olderInventoryUpdate,
  sourcesUpdatedOnLaunch,
} from './inventory-updates.ts'
import { createInventoryUpdate } from './launch/inventory-update.ts'
import { instanceGroups, organizationInstanceGroups, organizations } from './schema/catalog.ts'
import { hosts, inventories, inventoryInstanceGroups } from './schema/inventory.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { inventoryInputs, inventorySources } from './schema/updates.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeGroup, makeJob } from './testing-data.ts'

describe.each(storeKinds)('inventory updates on %s', (kind) => {
  let store: Store
  let organizationId = 0
  beforeAll(async () => {
    store = await testStore(kind)
    const [organization] = await store.db.insert(organizations).values({ name: 'org', maxHosts: 3 }).returning()
    organizationId = organization?.id ?? 0
  })
  afterAll(() => store.close())

  async function makeInventory(name: string): Promise<number> {
    const [inventory] = await store.db.insert(inventories).values({ name, organizationId }).returning()
    return inventory?.id ?? 0
  }
  async function makeSource(inventoryId: number, values: Partial<typeof inventorySources.$inferInsert> = {}) {
    const [source] = await store.db
      .insert(inventorySources)
      .values({ name: 's', inventoryId, ...values })
      .returning()
    if (!source) throw new Error('no source was made')
    return source
  }
  const launch = { launchType: 'manual', createdById: null } as const

  test('an update is made of what its source says, shown by it, and may run in the groups of its inventory, then its organization', async () => {
    const inventoryId = await makeInventory('grouped')
    const [own, fallback] = [await makeGroup(store.db), await makeGroup(store.db)]
    await store.db.insert(inventoryInstanceGroups).values({ inventoryId, instanceGroupId: own, position: 1 })
    await store.db.insert(organizationInstanceGroups).values({ organizationId, instanceGroupId: fallback, position: 1 })
    const source = await makeSource(inventoryId, { name: 'cloud', source: 'ec2', limit: 'web', overwrite: true })
    const id = await createInventoryUpdate(store.db, source, launch)
    const [update] = await store.db.select().from(unifiedJobs).where(eq(unifiedJobs.id, id))
    expect(update).toMatchObject({
      ...{ name: 'grouped - cloud', status: 'pending', source: 'ec2', limit: 'web', overwrite: true, projectId: null },
      eligibleGroups: [own, fallback],
    })
    const [shown] = await store.db.select().from(inventorySources).where(eq(inventorySources.id, source.id))
    expect(shown).toMatchObject({ status: 'pending', currentJobId: id })
    await store.db
      .update(inventories)
      .set({ preventInstanceGroupFallback: true })
      .where(eq(inventories.id, inventoryId))
    const alone = await createInventoryUpdate(store.db, source, launch)
    const [second] = await store.db.select().from(unifiedJobs).where(eq(unifiedJobs.id, alone))
    expect(second?.eligibleGroups).toEqual([own])
    expect(await store.db.$count(instanceGroups)).toBe(2)
  })

  test('updates of a source follow each other; jobs let those pass that came before or run', async () => {
    const inventoryId = await makeInventory('busy')
    const source = await makeSource(inventoryId)
    const other = await makeSource(inventoryId)
    const first = await createInventoryUpdate(store.db, source, launch)
    const beside = await createInventoryUpdate(store.db, other, launch)
    const second = await createInventoryUpdate(store.db, source, launch)
    const job = await makeJob(store.db, { inventoryId })
    const later = await createInventoryUpdate(store.db, source, launch)
    expect(await olderInventoryUpdate(store.db, source.id, first)).toBeNull()
    expect(await olderInventoryUpdate(store.db, source.id, second)).toEqual({ id: first, ahead: 1 })
    expect(await olderInventoryUpdate(store.db, source.id, later)).toEqual({ id: first, ahead: 2 })
    expect(await inventoryUpdatesBefore(store.db, inventoryId, job.id)).toEqual([first, beside, second])
    await store.db.update(unifiedJobs).set({ status: 'successful' }).where(eq(unifiedJobs.id, first))
    await store.db.update(unifiedJobs).set({ status: 'running' }).where(eq(unifiedJobs.id, later))
    expect(await olderInventoryUpdate(store.db, source.id, second)).toBeNull()
    expect(await inventoryUpdatesBefore(store.db, inventoryId, job.id)).toEqual([beside, second, later])
  })

  test('sources that are updated on launch: the inventory’s own, or those of its inputs, which keep their order', async () => {
    const [constructed, one, two] = [
      await makeInventory('made'),
      await makeInventory('one'),
      await makeInventory('two'),
    ]
    await store.db.insert(inventoryInputs).values([
      { inventoryId: constructed, inputInventoryId: one, position: 2 },
      { inventoryId: constructed, inputInventoryId: two, position: 1 },
    ])
    const own = await makeSource(constructed, { source: 'constructed', updateOnLaunch: true })
    const input = await makeSource(one, { updateOnLaunch: true })
    await makeSource(two)
    const ids = async (whose: 'own' | 'inputs') =>
      (await sourcesUpdatedOnLaunch(store.db, constructed, whose)).map(({ id }) => id)
    expect([await ids('own'), await ids('inputs')]).toEqual([[own.id], [input.id]])
    expect(await inputInventories(store.db, constructed)).toEqual([two, one])
  })

  test('a host counts once against the limit of its organization', async () => {
    const [one, two] = [await makeInventory('first'), await makeInventory('second')]
    const names = ['a', 'b', 'c']
    await store.db.insert(hosts).values(names.map((name) => ({ name, inventoryId: one })))
    await store.db.insert(hosts).values([{ name: 'a', inventoryId: two }])
    expect(await hostLimit(store.db, two)).toEqual({ organization: 'org', hosts: 3, most: 3 })
    await store.db.update(organizations).set({ maxHosts: 0 })
    expect(await hostLimit(store.db, two)).toBeNull()
  })
})
