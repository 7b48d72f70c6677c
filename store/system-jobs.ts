import { eq } from 'drizzle-orm'
import type { Database } from './database.ts'
import { type Ahead, olderJobs } from './in-line.ts'
import { unifiedJobs } from './schema/jobs.ts'

/** The oldest system job that is older than this one and has not ended, and how many there are; null when it is this one's turn. */
export async function olderSystemJob(db: Database, jobId: number): Promise<Ahead | null> {
  return await olderJobs(db, jobId, eq(unifiedJobs.type, 'system_job'))
}

/** Keeps what a system job printed beside its events, where AWX's clients look for it. */
export async function storeResultStdout(tx: Database, jobId: number, text: string): Promise<void> {
  await tx.update(unifiedJobs).set({ resultStdout: text }).where(eq(unifiedJobs.id, jobId))
}
