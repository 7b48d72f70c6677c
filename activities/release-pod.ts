import { Context } from '@temporalio/activity'
import type { Cluster } from '../kubernetes/cluster.ts'
import { KubernetesError } from '../kubernetes/errors.ts'
import type { Pod } from '../kubernetes/objects.ts'
import { podLabels } from '../model/attempt.ts'
import { readReachable, releaseAttempt } from '../store/attempts.ts'
import type { AttemptRow } from '../store/claims.ts'
import { FencedError } from '../store/fence.ts'
import { readJob } from '../store/run-document.ts'
import type { ActivityDeps } from './deps.ts'
import { ownJob, ownLiveAttempts } from './own-job.ts'
import { persistently, removePod } from './play/remove-pod.ts'
import type { JobActivities } from './types.ts'

/** A workflow waits this long for a cluster to take the deletion; what remains is the reaper's, which has all the time there is. */
const patienceMs = 12_000

/** Gives back what the job still holds when its main line has ended. */
export function createReleasePodActivity(deps: ActivityDeps): JobActivities['releasePod'] {
  return async ({ jobId }) => {
    // Attempts go with their job; the pod of one that was deleted too early is the reaper's.
    if (!(await readJob(deps.store.db, jobId))) return
    await ownJob(deps, jobId, { restart: false })
    for (const attempt of await ownLiveAttempts(deps, jobId)) {
      const signal = AbortSignal.any([AbortSignal.timeout(patienceMs), Context.current().cancellationSignal])
      try {
        await releaseAttemptAndPod(deps, attempt, signal)
      } catch (error) {
        if (!signal.aborted && !(error instanceof KubernetesError)) throw error
        deps.log.warn({ job: jobId, pod: attempt.podName, reason: String(error) }, 'the pod is left to the reaper')
      }
    }
  }
}

/**
 * Deletes the attempt's pod, and gives the place back once the pod is gone. Throws FencedError, having deleted nothing, when another run has
 * taken the attempt since the caller read it.
 */
export async function releaseAttemptAndPod(
  deps: ActivityDeps,
  attempt: AttemptRow,
  signal: AbortSignal,
): Promise<void> {
  if (attempt.podName) {
    // Read anew: the payload may have been delivered since the caller read the row.
    const found = await readReachable(deps.store.db, attempt.id)
    const latest = found?.attempt
    const cluster = await deps.clusters.forAttempt(attempt, found?.credential)
    if (latest && latest.runId !== attempt.runId) throw new FencedError(`attempt ${attempt.id}`, attempt.runId)
    const uid = attempt.podUid ?? latest?.podUid ?? (cluster && (await uidOfUnrecorded(deps, cluster, attempt, signal)))
    const pod = { namespace: attempt.namespace, name: attempt.podName, unused: !latest?.deliveredAt }
    if (cluster && uid) await removePod(deps, cluster, { ...pod, uid }, signal)
  }
  await releaseAttempt(deps.store.db, { attemptId: attempt.id, runId: attempt.runId })
  if (attempt.instanceGroupId !== null) deps.gates.released(attempt.instanceGroupId, attempt.podName)
}

/** Whether a pod was made for this job of this installation, and not for another's that has the same number. */
export function isPodOf({ settings }: Pick<ActivityDeps, 'settings'>, { metadata }: Pod, jobId: number): boolean {
  const { [podLabels.install]: install, [podLabels.job]: job } = metadata.labels ?? {}
  return install === settings.installUuid && job === String(jobId)
}

/** The uid of a pod that was perhaps created without our hearing of it; null when there is none of ours. */
async function uidOfUnrecorded(
  deps: ActivityDeps,
  cluster: Cluster,
  attempt: AttemptRow,
  signal: AbortSignal,
): Promise<string | null> {
  const pod = await persistently(signal, () => cluster.getPod(attempt.namespace, attempt.podName, { signal }))
  return pod && isPodOf(deps, pod, attempt.jobId) ? pod.metadata.uid : null
}
