import { sql } from 'drizzle-orm'
import type { Database } from './database.ts'

/** Places that jobs took after an attempt: how many, and the newest attempt by now (0: there is none). */
export interface PlacesTaken {
  taken: number
  last: number
}

/** How many places jobs took since an attempt, by its id; with null none is counted, and only the newest is told. Reads those attempts alone. */
export async function placesTaken(db: Database, since: number | null): Promise<PlacesTaken> {
  const newest = sql`coalesce((SELECT max(id) FROM attempts), 0)`
  const { rows } = await db.execute<{ taken: number; last: number }>(
    since === null
      ? sql`SELECT 0 AS taken, ${newest} AS last`
      : sql`SELECT count(*)::int AS taken, coalesce(max(id), ${since}) AS last FROM attempts WHERE id > ${since}`,
  )
  return rows[0] ?? { taken: 0, last: since ?? 0 }
}
