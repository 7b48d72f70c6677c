import { sql } from 'drizzle-orm'
import type { StartLine } from './claim-outbox.ts'
import type { Database } from './database.ts'
import { isOfKind, lineKey } from './line-key.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { attempts } from './schema/runtime.ts'

/** A moment up to which it is known who left the lines: by the newest attempt, and by the database's clock. */
export interface Moment {
  attempt: number
  /** ISO. */
  at: string
}

/** How many jobs left a line since a moment. */
export interface LeftLine extends StartLine {
  /** Those that took a place, or, where it were more, those that have ended: they gave one back, or could not run. */
  served: number
  /** Those that were cancelled before they had a place. */
  canceled: number
}

/** Who left the lines since a moment, and the moment until which that is so; with null nobody is counted. Reads the jobs alone that took a place or ended meanwhile. */
export async function leftLines(db: Database, since: Moment | null): Promise<{ left: LeftLine[]; until: Moment }> {
  const { rows: moments } = await db.execute<{ attempt: number; at: string }>(
    sql`SELECT coalesce(max(id), 0) AS attempt, now()::text AS at FROM ${attempts}`,
  )
  const until = moments[0] ?? { attempt: 0, at: new Date().toISOString() }
  if (since === null) return { left: [], until }
  const { rows } = await db.execute<{ [Key in keyof LeftLine]: LeftLine[Key] }>(sql`
    WITH left_by AS (
      SELECT job_id, 'place' AS way FROM ${attempts} WHERE id > ${since.attempt} AND id <= ${until.attempt}
      UNION ALL
      SELECT id, CASE WHEN status = 'canceled' AND attempt_count = 0 THEN 'cancel' ELSE 'end' END FROM ${unifiedJobs}
      WHERE ${isOfKind} AND finished > ${since.at} AND finished <= ${until.at} AND run_id IS NOT NULL)
    SELECT priority AS urgency, coalesce(organization_id, 0) AS "organizationId", ${lineKey(sql`job`)} AS line,
      greatest(count(*) FILTER (WHERE way = 'place'), count(*) FILTER (WHERE way = 'end'))::int AS served,
      count(*) FILTER (WHERE way = 'cancel')::int AS canceled
    FROM left_by JOIN ${unifiedJobs} AS job ON job.id = left_by.job_id GROUP BY 1, 2, 3`)
  return { left: rows.filter(({ line }) => line !== ''), until }
}
