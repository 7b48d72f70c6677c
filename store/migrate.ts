import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import type { Store } from './database.ts'

const folder = fileURLToPath(new URL('./migrations', import.meta.url))
const running = new WeakMap<Store, Promise<void>>()

/** Brings the database to this release's schema. Does nothing when it is there; safe when several processes or callers do it at once. */
export async function migrate(store: Store): Promise<void> {
  // The embedded database has one session, where a lock would not hold callers of this process apart.
  const inThisProcess = running.get(store) ?? store.applyMigrations(folder).finally(() => running.delete(store))
  running.set(store, inThisProcess)
  await inThisProcess
}

/** Whether the database has this release's schema, or that of a newer one. */
export async function isMigrated({ db }: Store): Promise<boolean> {
  const journal = JSON.parse(await readFile(join(folder, 'meta', '_journal.json'), 'utf8')) as {
    entries: { when: number }[]
  }
  const newest = Math.max(...journal.entries.map((entry) => entry.when))
  const table = await db.execute<{ exists: boolean }>(
    sql`SELECT to_regclass('drizzle.__drizzle_migrations') IS NOT NULL AS exists`,
  )
  if (!table.rows[0]?.exists) return false
  const applied = await db.execute<{ current: boolean | null }>(
    sql`SELECT max(created_at) >= ${newest}::bigint AS current FROM drizzle.__drizzle_migrations`,
  )
  return applied.rows[0]?.current === true
}
