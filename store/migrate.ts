import { fileURLToPath } from 'node:url'
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
