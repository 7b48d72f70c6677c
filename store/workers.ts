import { sql } from 'drizzle-orm'
import type { WorkerSign } from '../model/waiting.ts'
import type { Database } from './database.ts'
import { workers } from './schema/runtime.ts'

/** How often a worker says that it is there, in milliseconds. */
export const signMs = 5_000
/** A worker that said nothing for this long is not there any more: it missed three signs. */
const goneAfter = sql`interval '20 seconds'`
/** What did not say goodbye is kept this long, so that one knows when there last was a worker. */
const forgottenAfter = sql`interval '7 days'`

/** A worker says that it is there; `id` is the process's own. */
export async function signWorker(db: Database, id: string, nodeName: string): Promise<void> {
  await db
    .insert(workers)
    .values({ id, nodeName })
    .onConflictDoUpdate({ target: workers.id, set: { seen: sql`now()` } })
}

/** A worker that starts forgets those that are long gone. */
export async function forgetWorkers(db: Database): Promise<void> {
  await db.delete(workers).where(sql`${workers.seen} < now() - ${forgottenAfter}`)
}

/** Whether any worker takes work, and when one was last heard of. */
export async function lastWorker(db: Database): Promise<WorkerSign> {
  const [row] = await db
    .select({
      seen: sql<string | null>`max(${workers.seen})::text`,
      alive: sql<boolean>`coalesce(max(${workers.seen}) > now() - ${goneAfter}, false)`,
    })
    .from(workers)
  return row ?? { seen: null, alive: false }
}
