import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { sql } from 'drizzle-orm'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase, type Store } from './database.ts'
import { DatabaseUnavailableError } from './errors.ts'
import { isMigrated, migrate } from './migrate.ts'
import { migrationLock } from './postgres.ts'
import { startServer, type TestServer } from './testing-server.ts'

describe('when PostgreSQL goes away', () => {
  let server: TestServer
  let store: Store
  beforeAll(async () => {
    server = await startServer()
    store = await openDatabase(server.url('postgres'), { poolMax: 2, connectTimeoutMs: 5_000 })
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

  test('a transaction that goes on no more loses its locks to others, and hears of it if it wakes', async () => {
    const brief = await openDatabase(server.url('postgres'), { poolMax: 1, idleTransactionMs: 2_000 })
    try {
      await store.db.execute(sql`CREATE TABLE held (id int PRIMARY KEY)`)
      await store.db.execute(sql`INSERT INTO held VALUES (1)`)
      const locked = Promise.withResolvers<void>()
      const woken = Promise.withResolvers<void>()
      const frozen = brief.db
        .transaction(async (tx) => {
          await tx.execute(sql`SELECT FROM held WHERE id = 1 FOR UPDATE`)
          locked.resolve()
          await woken.promise
          await tx.execute(sql`UPDATE held SET id = 2`)
        })
        .catch((error: unknown) => error)
      await locked.promise
      await store.db.execute(sql`SELECT FROM held WHERE id = 1 FOR UPDATE`)
      woken.resolve()
      expect(await frozen).toBeInstanceOf(DatabaseUnavailableError)
      expect((await brief.db.execute(sql`SELECT id FROM held`)).rows).toEqual([{ id: 1 }])
    } finally {
      await brief.close()
    }
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
    const small = await openDatabase(server.url('postgres'), { poolMax: 1, connectTimeoutMs: 2_000 })
    const free = Promise.withResolvers<void>()
    const holder = small.db.transaction(async () => await free.promise)
    await expect(small.db.execute(sql`SELECT 1`)).rejects.toBeInstanceOf(DatabaseUnavailableError)
    free.resolve()
    await holder
    await small.close()
  })
})

describe('a statement that takes too long', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.stop())

  test('is ended in the server, and the connection serves on', async () => {
    const store = await openDatabase(server.url('postgres'), { poolMax: 1, statementTimeoutMs: 2_000 })
    await expect(store.db.execute(sql`SELECT pg_sleep(60)`)).rejects.toBeInstanceOf(DatabaseUnavailableError)
    await expect(store.db.transaction((tx) => tx.execute(sql`SELECT pg_sleep(60)`))).rejects.toBeInstanceOf(
      DatabaseUnavailableError,
    )
    const { rows } = await store.db.execute(sql`SELECT count(*)::int AS sleeping FROM pg_stat_activity
      WHERE query LIKE '%pg_sleep(60)%' AND state = 'active' AND pid <> pg_backend_pid()`)
    expect(rows).toEqual([{ sleeping: 0 }])
    await store.close()
  })

  test('is given up in bounded time when the server says nothing any more', async () => {
    const relay = await startRelay(server)
    const store = await openDatabase(relay.url, { poolMax: 2, statementTimeoutMs: 2_000 })
    await Promise.all([store.db.execute(sql`SELECT pg_sleep(0.1)`), store.db.execute(sql`SELECT pg_sleep(0.1)`)])
    relay.freeze()
    const refused = await Promise.allSettled([
      store.db.execute(sql`SELECT 1`),
      store.db.transaction((tx) => tx.execute(sql`SELECT 1`)),
    ])
    expect(refused.map((one) => one.status === 'rejected' && one.reason)).toEqual([
      expect.any(DatabaseUnavailableError),
      expect.any(DatabaseUnavailableError),
    ])
    // New connections get through again: the silent ones are not used any more.
    expect((await store.db.execute(sql`SELECT 1 AS one`)).rows).toEqual([{ one: 1 }])
    await store.close()
    await relay.stop()
  })

  test('is given its time when it migrates', async () => {
    const store = await openDatabase(server.url('postgres'), { statementTimeoutMs: 2_000 })
    // Somebody else migrates for longer than a statement may take.
    const other = new pg.Client(server.url('postgres'))
    await other.connect()
    await other.query(`SELECT pg_advisory_lock(${migrationLock})`)
    const migrated = migrate(store)
    await other.query('SELECT pg_sleep(4)').finally(() => other.end())
    await migrated
    expect(await isMigrated(store)).toBe(true)
    await store.close()
  })
})

/** Passes connections on to a server's socket until `freeze`, from when on those that exist pass nothing. */
async function startRelay(server: TestServer) {
  const folder = new URL(server.url('postgres').replace('@/', '@unused/')).searchParams.get('host') ?? ''
  const pairs: [Socket, Socket][] = []
  const relay = createServer((near) => {
    const far = connect(`${folder}/.s.PGSQL.5432`)
    pairs.push([near, far])
    near.pipe(far).pipe(near)
    for (const socket of [near, far]) socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  return {
    url: `postgres://postgres@127.0.0.1:${(relay.address() as AddressInfo).port}/postgres`,
    freeze() {
      for (const [near, far] of pairs) {
        near.unpipe(far).pause()
        far.unpipe(near).pause()
      }
    },
    async stop() {
      for (const socket of pairs.flat()) socket.destroy()
      await new Promise((resolve) => relay.close(resolve))
    },
  }
}

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
