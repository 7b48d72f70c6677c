import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { openDatabase, type Store } from './database.ts'
import { migrate } from './migrate.ts'
import { testDatabaseUrl } from './testing.ts'
import { testPglite } from './testing-pglite.ts'

async function applied(store: Store): Promise<number> {
  const answer = await store.db.execute<{ n: number }>(sql`SELECT count(*)::int AS n FROM drizzle.__drizzle_migrations`)
  return answer.rows[0]?.n ?? 0
}

test('embedded: twice at once and once more apply everything once', async () => {
  const store = await testPglite({ migrated: false })
  await Promise.all([migrate(store), migrate(store)])
  const count = await applied(store)
  await migrate(store)
  expect(count).toBeGreaterThan(0)
  expect(await applied(store)).toBe(count)
  await store.close()
})

test('PostgreSQL: four processes at once and once more apply everything once', async () => {
  const url = await testDatabaseUrl({ migrated: false })
  const stores = await Promise.all([0, 1, 2, 3].map(() => openDatabase(url)))
  await Promise.all(stores.map((store) => migrate(store)))
  const [store] = stores
  if (!store) throw new Error('no store')
  const count = await applied(store)
  await migrate(store)
  expect(count).toBeGreaterThan(0)
  expect(await applied(store)).toBe(count)
  await Promise.all(stores.map((each) => each.close()))
})
