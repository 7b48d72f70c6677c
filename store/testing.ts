import { randomBytes } from 'node:crypto'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { inject } from 'vitest'
import { openDatabase, type Store, type StoreOptions } from './database.ts'
import { migrate } from './migrate.ts'
import { once } from './testing-once.ts'
import { testPglite } from './testing-pglite.ts'
import { serverIn, startServer } from './testing-server.ts'
import type {} from './testing-setup.ts'

/** Both kinds of store: `describe.each(storeKinds)('… on %s', (kind) => …)`. */
export const storeKinds = ['pglite', 'postgres'] as const
/** One of them. */
export type StoreKind = (typeof storeKinds)[number]

const template = 'mayfly_template'

/** A store of its own for one test or one file: migrated, else empty. Close it at the end; its data go with the test run. */
export async function testStore(kind: StoreKind, options: StoreOptions = {}): Promise<Store> {
  if (kind === 'postgres') return await openDatabase(await testDatabaseUrl(), options)
  return await testPglite()
}

/** Address of a new PostgreSQL database of its own: migrated, else empty; or not even migrated. */
export async function testDatabaseUrl(options: { migrated?: boolean } = {}): Promise<string> {
  const server = await sharedServer()
  const name = `test_${randomBytes(8).toString('hex')}`
  const source = options.migrated === false ? 'template1' : template
  await run(server.url('postgres'), `CREATE DATABASE ${name} TEMPLATE ${source}`)
  return server.url(name)
}

async function sharedServer() {
  const folder = join(inject('storeFolder'), 'postgres')
  await once('postgres', async () => {
    // The server's user must reach its folder.
    await chmod(inject('storeFolder'), 0o755)
    const server = await startServer({ folder })
    await run(server.url('postgres'), `CREATE DATABASE ${template}`)
    const store = await openDatabase(server.url(template))
    await migrate(store)
    await store.close()
  })
  return serverIn(folder)
}

async function run(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
