import { podName } from '../model/attempt.ts'
import { releaseAttempt } from '../store/attempts.ts'
import { type AttemptRow, unclaim } from '../store/claims.ts'
import type { ActivityDeps } from './deps.ts'

/** Gives the place back of an attempt that has no pod. */
export async function giveBack(
  deps: ActivityDeps,
  attempt: AttemptRow,
  // A row without a place was made by this very try: no earlier one can have left a pod of this name.
  { numberUnused } = { numberUnused: attempt.podName === '' },
): Promise<void> {
  const owned = { attemptId: attempt.id, runId: attempt.runId }
  if (attempt.phase === 'claimed') await unclaim(deps.store.db, { ...owned, numberUnused })
  // An earlier try recorded a pod that is no more.
  else await releaseAttempt(deps.store.db, owned)
  if (attempt.instanceGroupId !== null) {
    deps.gates.unclaimed(attempt.instanceGroupId, podName(attempt.jobId, attempt.number))
  }
}
