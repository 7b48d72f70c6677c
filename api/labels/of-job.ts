import { eq } from 'drizzle-orm'
import type { Database } from '../../store/database.ts'
import { unifiedJobLabels } from '../../store/schema/labels.ts'

/** Ids of a job's labels. */
export async function jobLabelIds(db: Database, jobId: number): Promise<number[]> {
  const rows = await db
    .select({ id: unifiedJobLabels.labelId })
    .from(unifiedJobLabels)
    .where(eq(unifiedJobLabels.jobId, jobId))
  return rows.map(({ id }) => id)
}
