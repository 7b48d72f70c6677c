import { randomBytes } from 'node:crypto'
import { access, chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import { inject } from 'vitest'
import { openDatabase, type Store, type StoreOptions } from './database.ts'
import { migrate } from './migrate.ts'
import { storeOn } from './pglite.ts'
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
  const loadDataDir = new Blob([new Uint8Array(await pgliteSnapshot())])
  return await storeOn(await PGlite.create({ loadDataDir }), async () => {})
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

/** Making a database cluster takes PGlite seconds; loading one takes half of one. */
async function pgliteSnapshot(): Promise<Buffer> {
  const file = join(inject('storeFolder'), 'pglite.tar')
  await once('pglite', async () => {
    const client = await PGlite.create()
    const store = await storeOn(client, async () => {})
    await migrate(store)
    const snapshot = await client.dumpDataDir('none')
    await store.close()
    await writeFile(`${file}.part`, await snapshot.bytes())
    await rename(`${file}.part`, file)
  })
  return await readFile(file)
}

/** Does the work once in this test run, in whichever test process comes first; the others wait for it. */
async function once(name: string, work: () => Promise<void>): Promise<void> {
  const base = join(inject('storeFolder'), name)
  const [done, failed] = [`${base}.done`, `${base}.failed`]
  try {
    await mkdir(`${base}.claimed`)
  } catch {
    for (;;) {
      if (await exists(done)) return
      if (await exists(failed))
        throw new Error(`preparing ${name} failed in another test: ${await readFile(failed, 'utf8')}`)
      await delay(20)
    }
  }
  try {
    await work()
    await writeFile(done, '')
  } catch (error) {
    await writeFile(failed, String(error))
    throw error
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
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
