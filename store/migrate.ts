import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import type { Store } from './database.ts'

const ours = fileURLToPath(new URL('./migrations', import.meta.url))
const running = new WeakMap<Store, Promise<void>>()

/**
 * The database has migrations that this release does not know, or lacks some that are older than those it has: it was made by a version
 * before the first release, whose first migration was another one. Nothing leads from there to here.
 */
export class IncompatibleSchemaError extends Error {
  override readonly name = 'IncompatibleSchemaError'
}

/**
 * Brings the database to this release's schema. Does nothing when it is there; safe when several processes or callers do it at once. Throws
 * IncompatibleSchemaError, having changed nothing, when no migration leads there.
 */
export async function migrate(store: Store): Promise<void> {
  // The embedded database has one session, where a lock would not hold callers of this process apart.
  const inThisProcess = running.get(store) ?? applyMissing(store).finally(() => running.delete(store))
  running.set(store, inThisProcess)
  await inThisProcess
}

async function applyMissing(store: Store): Promise<void> {
  await isMigrated(store)
  await store.applyMigrations(ours)
}

/** Whether the database has this release's schema, or that of a newer one. Throws IncompatibleSchemaError when it can never have it. */
export async function isMigrated(store: Store): Promise<boolean> {
  const [known, applied] = await Promise.all([knownMigrations(), appliedMigrations(store)])
  const [newestKnown, newestApplied] = [Math.max(...known), Math.max(0, ...applied)]
  const foreign = [...applied].find((when) => when <= newestKnown && !known.has(when))
  const skipped = [...known].find((when) => when <= newestApplied && !applied.has(when))
  if (foreign !== undefined || skipped !== undefined) {
    const what = foreign === undefined ? ['lacks the', skipped] : ['has a', foreign]
    throw new IncompatibleSchemaError(
      `the database was made by another version of Mayfly, which cannot be migrated to this one: it ${what[0]} migration of ${new Date(Number(what[1])).toISOString()}`,
    )
  }
  return newestApplied >= newestKnown
}

/** When each migration of this release was made, which is what identifies it; milliseconds since the epoch. */
async function knownMigrations(): Promise<Set<number>> {
  const journal = JSON.parse(await readFile(join(ours, 'meta', '_journal.json'), 'utf8')) as {
    entries: { when: number }[]
  }
  return new Set(journal.entries.map((entry) => entry.when))
}

async function appliedMigrations({ db }: Store): Promise<Set<number>> {
  const table = await db.execute<{ exists: boolean }>(
    sql`SELECT to_regclass('drizzle.__drizzle_migrations') IS NOT NULL AS exists`,
  )
  if (!table.rows[0]?.exists) return new Set()
  const applied = await db.execute<{ when: number | string }>(
    sql`SELECT created_at AS when FROM drizzle.__drizzle_migrations`,
  )
  return new Set(applied.rows.map(({ when }) => Number(when)))
}
