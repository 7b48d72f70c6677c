import { desc, eq, sql } from 'drizzle-orm'
import type { PostMortem } from '../model/post-mortem.ts'
import type { Database } from './database.ts'
import { postMortems } from './schema/runtime.ts'

/** Which attempt of which job; the number counts from 1. */
export interface AttemptNumber {
  jobId: number
  attempt: number
}

/** Keeps what became of an attempt's pod; taken again, the later one counts. It goes with the job. */
export async function storePostMortem(
  db: Database,
  { jobId, attempt }: AttemptNumber,
  document: PostMortem,
): Promise<void> {
  await db
    .insert(postMortems)
    .values({ jobId, attempt, document })
    .onConflictDoUpdate({ target: [postMortems.jobId, postMortems.attempt], set: { document: sql`excluded.document` } })
}

/** All of a job, the last attempt first: there are as many as it had tries, which are few. */
export async function readPostMortems(
  db: Database,
  jobId: number,
): Promise<{ attempt: number; document: PostMortem }[]> {
  return await db
    .select({ attempt: postMortems.attempt, document: postMortems.document })
    .from(postMortems)
    .where(eq(postMortems.jobId, jobId))
    .orderBy(desc(postMortems.attempt))
}
