import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from './database.ts'
import { webhookDeliveries } from './schema/workflows.ts'
import { storeKinds, testStore } from './testing.ts'
import { forgetOldDeliveries } from './webhook-deliveries.ts'

describe.each(storeKinds)('deliveries of web hooks on %s', (kind) => {
  let store: Store
  beforeAll(async () => {
    store = await testStore(kind)
  })
  afterAll(() => store.close())

  test('are known for a month', async () => {
    const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString()
    await store.db.insert(webhookDeliveries).values([
      { templateId: 1, guid: 'same', created: daysAgo(31) },
      { templateId: 2, guid: 'same', created: daysAgo(29) },
      { templateId: 1, guid: 'new' },
    ])
    expect(await forgetOldDeliveries(store.db)).toBe(1)
    const left = await store.db.select().from(webhookDeliveries)
    expect(left.map(({ templateId, guid }) => `${templateId} ${guid}`).toSorted()).toEqual(['1 new', '2 same'])
  })
})
