import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from './database.ts'
import { forgetOldIdempotencyKeys } from './idempotency-keys.ts'
import { idempotencyKeys } from './schema/identity.ts'
import { storeKinds, testStore } from './testing.ts'

describe.each(storeKinds)('idempotency keys on %s', (kind) => {
  let store: Store
  beforeAll(async () => {
    store = await testStore(kind)
  })
  afterAll(() => store.close())

  test('a day keeps them, and no longer', async () => {
    const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString()
    const key = { requestHash: 'request', jobId: 1, ignoredFields: {} }
    await store.db.insert(idempotencyKeys).values([
      { ...key, keyHash: 'new' },
      { ...key, keyHash: 'of yesterday', created: hoursAgo(23.9) },
      { ...key, keyHash: 'old', created: hoursAgo(24.1) },
      { ...key, keyHash: 'very old', created: hoursAgo(1000) },
    ])
    expect(await forgetOldIdempotencyKeys(store.db)).toBe(2)
    const left = await store.db.select({ key: idempotencyKeys.keyHash }).from(idempotencyKeys)
    expect(left.map(({ key }) => key).sort()).toEqual(['new', 'of yesterday'])
    expect(await forgetOldIdempotencyKeys(store.db)).toBe(0)
  })
})
