import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { inject } from 'vitest'
import type { Store } from './database.ts'
import { migrate } from './migrate.ts'
import { storeOn } from './pglite.ts'
import { once } from './testing-once.ts'
import type {} from './testing-setup.ts'

/** What an embedded database of a test starts from: one that was just made, or one that was migrated. */
type Snapshot = 'empty' | 'migrated'

/**
 * What a snapshot holds is unpacked for every store, and memory that PostgreSQL takes is cleared for every store: with less of both a store
 * opens in a third of the time. PostgreSQL's own defaults are 16 MB for a segment of the log and 128 MB for buffers.
 */
const small = {
  initDbStartParams: ['--wal-segsize=1'],
  postgresqlconf: ['shared_buffers=6MB', 'wal_buffers=1MB', 'min_wal_size=2MB', 'max_wal_size=4MB'],
}

/** An embedded database in memory, of its own: migrated, else empty; or not even migrated. */
export async function testPglite(options: { migrated?: boolean } = {}): Promise<Store> {
  const loadDataDir = await load(options.migrated === false ? 'empty' : 'migrated')
  return await storeOn(await PGlite.create({ loadDataDir }), async () => {})
}

/** Puts a database that was just made, without tables, into a folder, as `pglite://<folder>` would find it. */
export async function makeEmptyPglite(folder: string): Promise<void> {
  const client = await PGlite.create(`file://${folder}`, { loadDataDir: await load('empty') })
  await client.close()
}

let loaded: Partial<Record<Snapshot, Promise<Blob>>> = {}
let loadedFrom = ''

/** Files that share a process share what was read of the snapshots. */
async function load(snapshot: Snapshot): Promise<Blob> {
  await once('pglite', makeSnapshots)
  const folder = inject('storeFolder')
  if (folder !== loadedFrom) [loaded, loadedFrom] = [{}, folder]
  loaded[snapshot] ??= readFile(fileOf(snapshot)).then((bytes) => new Blob([new Uint8Array(bytes)]))
  return await loaded[snapshot]
}

const fileOf = (snapshot: Snapshot) => join(inject('storeFolder'), `pglite-${snapshot}.tar`)

/** Making a database takes PGlite seconds of computing; loading one takes half of one. */
async function makeSnapshots(): Promise<void> {
  const client = await PGlite.create(small)
  // Nothing connects to them: two thirds of what would be unpacked for every store.
  await client.exec('UPDATE pg_database SET datistemplate = false')
  for (const unused of ['template0', 'template1']) await client.exec(`DROP DATABASE ${unused}`)
  await keep(client, 'empty')
  const store = await storeOn(client, async () => {})
  await migrate(store)
  await keep(client, 'migrated')
  await store.close()
}

async function keep(client: PGlite, snapshot: Snapshot): Promise<void> {
  // Else every store that starts from it would do again what the log holds since the last one.
  await client.exec('CHECKPOINT')
  await writeFile(fileOf(snapshot), await (await client.dumpDataDir('none')).bytes())
}
