import { type Cause, cause, causeStatus } from '../model/cause.ts'
import { isFinal } from '../model/job.ts'
import { transitionJob } from '../store/job-status.ts'
import { readJob } from '../store/run-document.ts'
import type { ActivityDeps } from './deps.ts'
import { changesOfCause, endedJob, owner, verdictOfCause } from './failures.ts'

/**
 * Stores the end of a job that will not run, or will not run any further, and throws what stops its workflow. A job that has ended already
 * keeps its end.
 */
export async function endJob(deps: Pick<ActivityDeps, 'store'>, jobId: number, reason: Cause): Promise<never> {
  await transitionJob(deps.store.db, jobId, causeStatus[reason.kind], changesOfCause(reason), owner().runId)
  return await throwEnded(deps, jobId)
}

/** Throws what stops the workflow of a job whose final status is stored already, or that was deleted. */
export async function throwEnded(deps: Pick<ActivityDeps, 'store'>, jobId: number): Promise<never> {
  const job = await readJob(deps.store.db, jobId)
  if (!job) throw endedJob(verdictOfCause(cause('internal', 'The job was deleted.'), false))
  if (!isFinal(job.status)) throw new Error(`job ${jobId} has not ended`)
  throw endedJob({ status: job.status, cause: job.cause, explanation: job.jobExplanation, released: false })
}
