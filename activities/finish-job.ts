import { cause, causeStatus } from '../model/cause.ts'
import { recordEnded } from '../store/attempts.ts'
import { transitionJob } from '../store/job-status.ts'
import type { ActivityDeps } from './deps.ts'
import { owner } from './failures.ts'
import { liveAttemptsOf } from './own-attempts.ts'
import type { JobActivities } from './types.ts'

/** Stores the end of a job that no other activity could: cancelled while it waited, or broken by an error of ours. */
export function createFinishJobActivity(deps: ActivityDeps): JobActivities['finishJob'] {
  return async ({ jobId, status, cause: kind, explanation }) => {
    const { runId } = owner()
    const attempts = await liveAttemptsOf(deps.store.db, jobId, runId)
    await deps.store.db.transaction(async (tx) => {
      for (const attempt of attempts) await recordEnded(tx, { attemptId: attempt.id, runId }, cause(kind, explanation))
      await transitionJob(tx, jobId, status ?? causeStatus[kind], {
        cause: kind,
        ...(explanation ? { explanation } : {}),
      })
    })
  }
}
