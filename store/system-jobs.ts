import { and, eq, inArray, lt, sql } from 'drizzle-orm'
import { activeStatuses } from '../model/job.ts'
import type { Database } from './database.ts'
import { unifiedJobs } from './schema/jobs.ts'

/** The oldest system job that is older than this one and has not ended, and how many there are; null when it is this one's turn. */
export async function olderSystemJob(db: Database, jobId: number): Promise<{ id: number; ahead: number } | null> {
  const [row] = await db
    .select({ id: sql<number | null>`min(${unifiedJobs.id})`, ahead: sql<number>`count(*)::int` })
    .from(unifiedJobs)
    .where(
      and(
        eq(unifiedJobs.type, 'system_job'),
        inArray(unifiedJobs.status, [...activeStatuses]),
        lt(unifiedJobs.id, jobId),
      ),
    )
  return row?.id ? { id: row.id, ahead: row.ahead } : null
}

/** Keeps what a system job printed beside its events, where AWX's clients look for it. */
export async function storeResultStdout(tx: Database, jobId: number, text: string): Promise<void> {
  await tx.update(unifiedJobs).set({ resultStdout: text }).where(eq(unifiedJobs.id, jobId))
}
