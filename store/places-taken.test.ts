import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from './database.ts'
import { placesTaken } from './places-taken.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeAttempt } from './testing-data.ts'

describe.each(storeKinds)('places that were taken, on %s', (kind) => {
  let store: Store
  beforeAll(async () => {
    store = await testStore(kind)
  })
  afterAll(() => store.close())

  test('since an attempt; the first look counts none', async () => {
    expect(await placesTaken(store.db, null)).toEqual({ taken: 0, last: 0 })
    const before = await makeAttempt(store.db)
    expect(await placesTaken(store.db, null)).toEqual({ taken: 0, last: before.id })
    await makeAttempt(store.db)
    const last = await makeAttempt(store.db)
    expect(await placesTaken(store.db, before.id)).toEqual({ taken: 2, last: last.id })
    expect(await placesTaken(store.db, last.id)).toEqual({ taken: 0, last: last.id })
  })
})
