import { Context } from '@temporalio/activity'
import { getAttempt, releaseAttempt } from '../store/attempts.ts'
import type { AttemptRow } from '../store/claims.ts'
import type { ActivityDeps } from './deps.ts'
import { owner } from './failures.ts'
import { liveAttemptsOf } from './own-attempts.ts'
import { removePod } from './play/remove-pod.ts'
import type { JobActivities } from './types.ts'

/** A workflow waits this long for a cluster to take the deletion; what remains is the reaper's, which has all the time there is. */
const patienceMs = 12_000

/** Gives back what the job still holds when its main line has ended. */
export function createReleasePodActivity(deps: ActivityDeps): JobActivities['releasePod'] {
  return async ({ jobId }) => {
    for (const attempt of await liveAttemptsOf(deps.store.db, jobId, owner().runId)) {
      const signal = AbortSignal.any([AbortSignal.timeout(patienceMs), Context.current().cancellationSignal])
      try {
        await releaseAttemptAndPod(deps, attempt, signal)
      } catch (error) {
        if (!signal.aborted) throw error
        deps.log.warn({ job: jobId, pod: attempt.podName, reason: String(error) }, 'the pod is left to the reaper')
      }
    }
  }
}

/** Deletes the attempt's pod, and gives the place back once the pod is gone. */
export async function releaseAttemptAndPod(
  deps: ActivityDeps,
  attempt: AttemptRow,
  signal: AbortSignal,
): Promise<void> {
  if (attempt.podName) {
    const cluster = await deps.clusters.forAttempt(attempt)
    // Read anew: the payload may have been delivered since the caller read the row.
    const { deliveredAt = null } = (await getAttempt(deps.store.db, attempt.id)) ?? {}
    const pod = { namespace: attempt.namespace, name: attempt.podName, uid: attempt.podUid, unused: !deliveredAt }
    if (cluster) await removePod(deps, cluster, pod, signal)
  }
  await releaseAttempt(deps.store.db, { attemptId: attempt.id, runId: attempt.runId })
  if (attempt.instanceGroupId !== null) deps.gates.released(attempt.instanceGroupId, attempt.podName)
}
