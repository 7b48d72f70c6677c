import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase, type Store } from './database.ts'
import { DatabaseUnavailableError } from './errors.ts'
import { startServer, type TestServer } from './testing-server.ts'

describe('when PostgreSQL goes away', () => {
  let server: TestServer
  let store: Store
  beforeAll(async () => {
    server = await startServer()
    store = await openDatabase(server.url('postgres'), { poolMax: 2, connectTimeoutMs: 2_000 })
  })
  afterAll(async () => {
    await store.close()
    await server.stop()
  })

  const answers = async () => (await store.db.execute(sql`SELECT 1 AS one`)).rows

  test('queries, transactions and subscriptions fail as unavailable and work again after the restart', async () => {
    const heard: (string | null)[] = []
    const woken = Promise.withResolvers<void>()
    const told = Promise.withResolvers<void>()
    await store.listen('mayfly_jobs', (payload) => {
      heard.push(payload)
      if (payload === null) woken.resolve()
      if (payload === 'after') told.resolve()
    })
    const inFlight = store.db.execute(sql`SELECT pg_sleep(60)`).catch((error: unknown) => error)
    const begun = Promise.withResolvers<void>()
    const halted = Promise.withResolvers<void>()
    const inTransaction = store.db
      .transaction(async (tx) => {
        await tx.execute(sql`SELECT 1`)
        begun.resolve()
        await halted.promise
        await tx.execute(sql`SELECT 1`)
      })
      .catch((error: unknown) => error)
    await begun.promise

    await server.halt()
    halted.resolve()
    expect(await inFlight).toBeInstanceOf(DatabaseUnavailableError)
    expect(await inTransaction).toBeInstanceOf(DatabaseUnavailableError)
    // More than the pool has: none may be used up by failures.
    for (let round = 0; round < 5; round++) {
      await expect(answers()).rejects.toBeInstanceOf(DatabaseUnavailableError)
      await expect(store.db.transaction((tx) => tx.execute(sql`SELECT 1`))).rejects.toBeInstanceOf(
        DatabaseUnavailableError,
      )
    }
    await expect(store.health()).rejects.toBeInstanceOf(DatabaseUnavailableError)
    await expect(store.listen('mayfly_groups', () => {})).rejects.toBeInstanceOf(DatabaseUnavailableError)

    await server.start()
    expect(await answers()).toEqual([{ one: 1 }])
    await woken.promise
    await store.db.execute(sql`SELECT pg_notify('mayfly_jobs', 'after')`)
    await told.promise
    expect(heard).toEqual([null, 'after'])
  })

  test('connections that broke while idle are replaced, and none leaks', async () => {
    await Promise.all([answers(), answers()])
    for (let round = 0; round < 3; round++) {
      await server.restart()
      await Promise.allSettled([answers(), answers(), store.db.transaction((tx) => tx.execute(sql`SELECT 1`))])
      expect(await answers()).toEqual([{ one: 1 }])
    }
  })

  test('a pool that is busy for too long says so in bounded time', async () => {
    const small = await openDatabase(server.url('postgres'), { poolMax: 1, connectTimeoutMs: 200 })
    const free = Promise.withResolvers<void>()
    const holder = small.db.transaction(async () => await free.promise)
    await expect(small.db.execute(sql`SELECT 1`)).rejects.toBeInstanceOf(DatabaseUnavailableError)
    free.resolve()
    await holder
    await small.close()
  })
})

test('a host that does not answer is unavailable in bounded time', async () => {
  const store = await openDatabase('postgres://nobody@192.0.2.1/none', { connectTimeoutMs: 300 })
  await expect(store.health()).rejects.toBeInstanceOf(DatabaseUnavailableError)
  await expect(store.listen('mayfly_jobs', () => {})).rejects.toBeInstanceOf(DatabaseUnavailableError)
  await store.close()
})

test('the server of the npm package works too', async () => {
  const server = await startServer({ binaries: 'package' })
  const store = await openDatabase(server.url('postgres'))
  await expect(store.health()).resolves.toBeUndefined()
  await store.close()
  await server.stop()
})
