import { eq } from 'drizzle-orm'
import { isFinal } from '../../model/job.ts'
import { readHold } from '../../store/holds.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import type { RequestContext } from '../context.ts'
import { ApiError, PermissionDeniedError } from '../errors.ts'
import { eventsAreStored, type JobRow } from './fields.ts'

/** How long after its end a job's last events may still arrive. */
const settlingMilliseconds = 60_000

/** Refuses to delete a job that runs or whose output is still being stored; the texts are those awxkit looks for. */
export async function refuseDelete(job: JobRow, context: RequestContext): Promise<void> {
  if (await isOfActiveWorkflow(job, context)) {
    throw new PermissionDeniedError('Cannot delete job resource when associated workflow job is running.')
  }
  if (!isFinal(job.status)) throw new PermissionDeniedError('Cannot delete running job resource.')
  if (await readHold(context.db, job.id)) {
    throw new PermissionDeniedError('Cannot delete a job whose pod is kept. Release it first: POST release_hold/.')
  }
  const ended = job.finished === null ? 0 : new Date(job.finished).getTime()
  const settling = new Date(context.now).getTime() - ended < settlingMilliseconds
  if (settling && !eventsAreStored(job)) throw new ApiError(400, { error: 'Job has not finished processing events.' })
}

/** What a workflow decides from, it must be able to look at. */
async function isOfActiveWorkflow({ workflowJobId }: JobRow, { db }: RequestContext): Promise<boolean> {
  if (workflowJobId === null) return false
  const [workflow] = await db
    .select({ status: unifiedJobs.status })
    .from(unifiedJobs)
    .where(eq(unifiedJobs.id, workflowJobId))
  return workflow !== undefined && !isFinal(workflow.status)
}
