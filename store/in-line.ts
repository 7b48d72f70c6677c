import { and, inArray, lt, type SQL, sql } from 'drizzle-orm'
import { activeStatuses } from '../model/job.ts'
import type { Database } from './database.ts'
import { unifiedJobs } from './schema/jobs.ts'

/** Who stands before a job of the control plane: the oldest, and how many there are. */
export interface Ahead {
  id: number
  ahead: number
}

/** Jobs that fit the condition, are older than this one and have not ended; null when it is this one's turn. */
export async function olderJobs(db: Database, jobId: number, condition: SQL | undefined): Promise<Ahead | null> {
  const [row] = await db
    .select({ id: sql<number | null>`min(${unifiedJobs.id})`, ahead: sql<number>`count(*)::int` })
    .from(unifiedJobs)
    .where(and(condition, inArray(unifiedJobs.status, [...activeStatuses]), lt(unifiedJobs.id, jobId)))
  return row?.id ? { id: row.id, ahead: row.ahead } : null
}
