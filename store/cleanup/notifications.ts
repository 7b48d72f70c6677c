import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { notifications } from '../schema/notifications.ts'

/** Rows that are deleted together: small enough that nobody waits for long. */
const atOnce = 5_000

/**
 * Deletes notifications that were written before the instant (ISO 8601), a few at a time; those that are pending stay, and count as skipped. `dryRun`
 * only counts. Stops between two steps when `signal` aborts.
 */
export async function deleteOldNotifications(
  db: Database,
  before: string,
  { dryRun, signal }: { dryRun: boolean; signal: AbortSignal },
): Promise<{ deleted: number; skipped: number }> {
  const old = sql`created < ${before}::timestamptz`
  const [counted] = (
    await db.execute<{ deletable: number; pending: number }>(sql`
      SELECT (count(*) FILTER (WHERE status <> 'pending'))::int AS deletable, (count(*) FILTER (WHERE status = 'pending'))::int AS pending
      FROM ${notifications} WHERE ${old}`)
  ).rows
  const { deletable, pending: skipped } = counted ?? { deletable: 0, pending: 0 }
  if (dryRun) return { deleted: deletable, skipped }
  for (let deleted = 0; ; ) {
    signal.throwIfAborted()
    const { rows } = await db.execute(sql`
      DELETE FROM ${notifications} WHERE id IN (
        SELECT id FROM ${notifications} WHERE ${old} AND status <> 'pending' ORDER BY id LIMIT ${atOnce}) RETURNING 1`)
    deleted += rows.length
    if (rows.length < atOnce) return { deleted, skipped }
  }
}
