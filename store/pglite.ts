import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { drizzle } from 'drizzle-orm/pglite'
import { migrate } from 'drizzle-orm/pglite/migrator'
import type { Database, NotificationListener, Store } from './database.ts'
import { translate } from './errors.ts'
import { lockFolder } from './folder-lock.ts'

/** An embedded server shares the process's memory: 128 MB of buffers by default would be most of what the process may take. */
const embedded = ['shared_buffers=6MB', 'wal_buffers=1MB']

/** Opens PostgreSQL embedded in this process; `location` is a folder, made if absent, or `memory`; see openDatabase. */
export async function openPglite(location: string): Promise<Store> {
  if (location === '') throw new TypeError('pglite:// needs a folder or the word memory')
  if (location === 'memory') return storeOn(await PGlite.create({ postgresqlconf: embedded }), async () => {})
  await mkdir(location, { recursive: true, mode: 0o700 })
  const unlock = await lockFolder(location)
  try {
    return await storeOn(await PGlite.create(`file://${resolve(location)}`, { postgresqlconf: embedded }), unlock)
  } catch (error) {
    await unlock()
    throw error
  }
}

/** A store on an open PGlite; `afterClose` gives back what was taken for it. Exported for tests that start from a snapshot. */
export async function storeOn(client: PGlite, afterClose: () => Promise<void>): Promise<Store> {
  await client.exec("SET TIME ZONE 'UTC'")
  const db = drizzle({ client, casing: 'snake_case' }) as unknown as Database
  const inherited = db.transaction.bind(db)
  db.transaction = async (work, config) => {
    try {
      return await inherited(work, config)
    } catch (error) {
      throw translate(error)
    }
  }
  return {
    kind: 'pglite',
    db,
    async listen(channel: string, callback: NotificationListener) {
      const stop = await client.listen(channel, callback)
      return () => stop()
    },
    async health() {
      try {
        await client.query('SELECT 1')
      } catch (error) {
        throw translate(error)
      }
    },
    async copyTransaction(work) {
      try {
        return await client.transaction(async (transaction) => {
          const tx = drizzle({ client: transaction as unknown as PGlite, casing: 'snake_case' }) as unknown as Database
          return await work(tx, async (table, columns, rows) => {
            const pieces = Buffer.isBuffer(rows) ? [rows] : rows
            const blob = new Blob(pieces.map((piece) => new Uint8Array(piece)))
            await transaction.query(`COPY ${table} (${columns.join(', ')}) FROM '/dev/blob'`, [], { blob })
          })
        })
      } catch (error) {
        throw translate(error)
      }
    },
    async applyMigrations(folder) {
      await migrate(drizzle({ client, casing: 'snake_case' }), { migrationsFolder: folder })
    },
    async close() {
      await client.close()
      await afterClose()
    },
  }
}
