import { and, inArray, type SQL } from 'drizzle-orm'
import { activeStatuses } from '../../model/job.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import type { RequestContext } from '../context.ts'
import { InUseError } from '../errors.ts'

/** Refuses with 409 while active jobs meet the condition: what they use is not deleted. */
export async function refuseWhileUsed(context: RequestContext, condition: SQL | undefined): Promise<void> {
  const jobs = await context.db
    .select({ id: unifiedJobs.id, type: unifiedJobs.type })
    .from(unifiedJobs)
    .where(and(inArray(unifiedJobs.status, [...activeStatuses]), condition))
    .orderBy(unifiedJobs.id)
  if (jobs.length > 0) throw new InUseError(jobs)
}
