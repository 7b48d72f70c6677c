import { attemptsOf } from '../store/attempts.ts'
import type { AttemptRow } from '../store/claims.ts'
import type { JobRow } from '../store/job-status.ts'
import { ownerOfJob, takeJob, takeNewJob } from '../store/ownership.ts'
import type { ActivityDeps } from './deps.ts'
import { fenced, owner } from './failures.ts'

/** Somebody took the job between our look and our taking it; another try looks again. */
class OwnerChangedError extends Error {
  override name = 'OwnerChangedError'
}

/**
 * Makes the run of this activity the owner of the job. Another owner on record means that an operator reset the workflow: the run before was
 * ended by that without its clean-up. Its activities may still be at work, so of two runs the one that Temporal calls the current one gets
 * the job; the other is stopped (Fenced). `restart`: the job then begins as if it had never run; else it goes on where it stands.
 */
export async function ownJob(
  deps: Pick<ActivityDeps, 'store' | 'workflows'>,
  jobId: number,
  { restart }: { restart: boolean },
): Promise<void> {
  const { workflowId, runId } = owner()
  // The ordinary case of a job that begins.
  if (restart && (await takeNewJob(deps.store.db, jobId, runId))) return
  const before = await ownerOfJob(deps.store.db, jobId)
  if (before === runId) return
  if (before !== null && (await deps.workflows.current(jobId))?.runId !== runId) {
    throw fenced(`Run ${before} works on job ${jobId}.`)
  }
  const taken = await takeJob(deps.store.db, { jobId, workflowId, runId, before, restart: restart && before !== null })
  if (!taken) throw new OwnerChangedError(`the owner of job ${jobId} has changed`)
}

/** True when this run owns the job, or nobody does yet. */
export function ownsJob({ runId }: Pick<JobRow, 'runId'>): boolean {
  return runId === null || runId === owner().runId
}

/** The attempts of a job that still hold a place and belong to this run. */
export async function ownLiveAttempts({ store }: Pick<ActivityDeps, 'store'>, jobId: number): Promise<AttemptRow[]> {
  const { runId } = owner()
  const attempts = await attemptsOf(store.db, jobId)
  return attempts.filter((attempt) => attempt.releasedAt === null && attempt.runId === runId)
}
