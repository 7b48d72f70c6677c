import type { Cause } from '../../model/cause.ts'
import type { PostMortem } from '../../model/post-mortem.ts'
import { recordEnded } from '../../store/attempts.ts'
import type { AttemptRow } from '../../store/claims.ts'
import type { Database } from '../../store/database.ts'
import { storePostMortem } from '../../store/post-mortems.ts'
import type { ActivityDeps } from '../deps.ts'
import { takePostMortem } from './post-mortem.ts'

/** An attempt that ends without anybody at work in its pod, and what was found out about it. */
export interface DeadAttempt {
  attempt: AttemptRow
  postMortem: PostMortem | null
}

/** Those of the attempts that have not ended yet, examined while their pods are there: a transaction must not wait for a cluster. */
export async function examineLive(
  deps: ActivityDeps,
  attempts: readonly AttemptRow[],
  reason: Cause,
): Promise<DeadAttempt[]> {
  const live = attempts.filter(({ endedAt, releasedAt }) => !endedAt && !releasedAt)
  return await Promise.all(
    live.map(async (attempt) => ({ attempt, postMortem: await takePostMortem(deps, attempt, reason) })),
  )
}

/** Ends them for this reason. Throws FencedError when another run has taken one since. */
export async function recordDead(tx: Database, dead: readonly DeadAttempt[], reason: Cause): Promise<void> {
  for (const { attempt, postMortem } of dead) {
    await recordEnded(tx, { attemptId: attempt.id, runId: attempt.runId }, reason)
    if (postMortem) await storePostMortem(tx, { jobId: attempt.jobId, attempt: attempt.number }, postMortem)
  }
}
