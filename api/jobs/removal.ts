import { isFinal } from '../../model/job.ts'
import type { RequestContext } from '../context.ts'
import { ApiError, PermissionDeniedError } from '../errors.ts'
import { eventsAreStored, type JobRow } from './fields.ts'

/** How long after its end a job's last events may still arrive. */
const settlingMilliseconds = 60_000

/** Refuses to delete a job that runs or whose output is still being stored; the texts are those awxkit looks for. */
export async function refuseDelete(job: JobRow, context: RequestContext): Promise<void> {
  if (!isFinal(job.status)) throw new PermissionDeniedError('Cannot delete running job resource.')
  const ended = job.finished === null ? 0 : new Date(job.finished).getTime()
  const settling = new Date(context.now).getTime() - ended < settlingMilliseconds
  if (settling && !eventsAreStored(job)) throw new ApiError(400, { error: 'Job has not finished processing events.' })
}
