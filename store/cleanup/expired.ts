import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'
import { sessions, tokens } from '../schema/identity.ts'

/** Deletes tokens that have expired, or only counts them; a refresh token lies in the row of its access token. */
export async function deleteExpiredTokens(db: Database, dryRun: boolean): Promise<{ access: number; refresh: number }> {
  const expired = sql`FROM ${tokens} WHERE expires < now()`
  const { rows } = await db.execute<{ refresh: boolean }>(
    dryRun
      ? sql`SELECT refresh_token_hash IS NOT NULL AS refresh ${expired}`
      : sql`DELETE ${expired} RETURNING refresh_token_hash IS NOT NULL AS refresh`,
  )
  return { access: rows.length, refresh: rows.filter(({ refresh }) => refresh).length }
}

/** Deletes browser sessions that have expired, or only counts them. */
export async function deleteExpiredSessions(db: Database, dryRun: boolean): Promise<number> {
  const expired = sql`FROM ${sessions} WHERE expires < now()`
  const { rows } = await db.execute(dryRun ? sql`SELECT 1 ${expired}` : sql`DELETE ${expired} RETURNING 1`)
  return rows.length
}
