import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase, type Store } from './database.ts'
import { isForeignKeyViolation, isUniqueViolation, StatementError } from './errors.ts'
import { toWireTime } from './instant.ts'
import { organizations } from './schema/catalog.ts'
import { jobTemplates } from './schema/templates.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeJob } from './testing-data.ts'

describe.each(storeKinds)('a store on %s', (kind) => {
  let store: Store
  beforeAll(async () => {
    store = await testStore(kind)
  })
  afterAll(() => store.close())

  test('keeps instants to the microsecond, in UTC', async () => {
    const job = await makeJob(store.db, { started: '2024-07-12T22:38:21.630477+02:00' })
    expect(toWireTime(job.started)).toBe('2024-07-12T20:38:21.630477Z')
    expect(toWireTime(job.created)).toMatch(/Z$/)
    const raw = await store.db.execute<{ at: string }>(sql`SELECT timestamptz '2024-01-01 00:00+01' AS at`)
    expect(raw.rows).toEqual([{ at: '2023-12-31 23:00:00+00' }])
  })

  test('says which constraint was hit, without the values', async () => {
    await store.db.insert(organizations).values({ name: 'one', description: 'hush-hush' })
    const twice = await store.db
      .insert(organizations)
      .values({ name: 'one', description: 'hush-hush' })
      .catch((error: unknown) => error)
    expect(isUniqueViolation(twice)).toBe(true)
    expect(isUniqueViolation(twice, 'organizations_name_unique')).toBe(true)
    expect(isUniqueViolation(twice, 'another')).toBe(false)
    const dangling = await store.db
      .insert(jobTemplates)
      .values({ name: 'hush-hush', projectId: 999_999 })
      .catch((error: unknown) => error)
    expect(isForeignKeyViolation(dangling)).toBe(true)
    const unreadable = await store.db.execute(sql`SELECT ${'hush-hush'}::int`).catch((error: unknown) => error)
    expect(unreadable).toBeInstanceOf(StatementError)
    for (const error of [twice, dangling, unreadable]) {
      const { message, stack, ...rest } = error as Error
      expect(`${message}${stack}${JSON.stringify(rest)}`).not.toContain('hush')
      expect((error as Error).cause).toBeUndefined()
    }
  })

  test('rolls back a transaction that throws, with the error it threw', async () => {
    const work = store.db.transaction(async (tx) => {
      await tx.insert(organizations).values({ name: 'never' })
      throw new RangeError('mine')
    })
    await expect(work).rejects.toThrow(new RangeError('mine'))
    const rows = await store.db.execute(sql`SELECT 1 FROM organizations WHERE name = 'never'`)
    expect(rows.rows).toEqual([])
  })

  test('delivers notifications on commit only, to whoever listens', async () => {
    const heard: (string | null)[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = await store.listen('mayfly_jobs', (payload) => {
      heard.push(payload)
      if (payload === 'last') resolve()
    })
    const lost = store.db.transaction(async (tx) => {
      await tx.execute(sql`SELECT pg_notify('mayfly_jobs', 'rolled back')`)
      throw new Error('no')
    })
    await expect(lost).rejects.toThrow('no')
    await store.db.execute(sql`SELECT pg_notify('mayfly_other', 'elsewhere')`)
    await store.db.execute(sql`SELECT pg_notify('mayfly_jobs', '1')`)
    await store.db.execute(sql`SELECT pg_notify('mayfly_jobs', 'last')`)
    await promise
    await stop()
    await store.db.execute(sql`SELECT pg_notify('mayfly_jobs', 'after stop')`)
    await store.health()
    expect(heard).toEqual(['1', 'last'])
  })

  test('answers health', async () => {
    await expect(store.health()).resolves.toBeUndefined()
  })
})

test('an address of another kind is refused', async () => {
  await expect(openDatabase('mysql://x')).rejects.toThrow(/postgres:\/\/ or pglite:\/\//)
  await expect(openDatabase('pglite://')).rejects.toThrow(/folder/)
})
