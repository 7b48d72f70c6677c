import { inArray, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { idempotencyKeys } from './schema/identity.ts'

/** So many at once at most: each pass of whoever calls it stays short, and the next one goes on. */
const atOnce = 10_000

/**
 * Forgets the keys of launches that are older than a day; gives their number. Whoever repeats a launch because it heard no answer does so
 * within minutes.
 */
export async function forgetOldIdempotencyKeys(db: Database): Promise<number> {
  const old = db
    .select({ keyHash: idempotencyKeys.keyHash })
    .from(idempotencyKeys)
    .where(sql`${idempotencyKeys.created} < now() - interval '24 hours'`)
    .limit(atOnce)
  const forgotten = await db
    .delete(idempotencyKeys)
    .where(inArray(idempotencyKeys.keyHash, old))
    .returning({ jobId: idempotencyKeys.jobId })
  return forgotten.length
}
