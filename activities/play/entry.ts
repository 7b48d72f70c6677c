import { clearSecrets } from '../../kubernetes/clear-secrets.ts'
import { NotFoundError } from '../../kubernetes/errors.ts'
import { podFate } from '../../kubernetes/pod-state.ts'
import { type Cause, causeStatus } from '../../model/cause.ts'
import type { AttemptRow } from '../../store/claims.ts'
import { DatabaseUnavailableError } from '../../store/errors.ts'
import { readJob } from '../../store/run-document.ts'
import type { ActivityDeps } from '../deps.ts'

/** The verdict waits for the answer. */
const patienceMs = 5_000
const clearingPatienceMs = 20_000

/** Whether the pod of an attempt that failed is to be kept and can be looked into: its container lives and nobody ends it. */
export async function canBeEntered(
  deps: Pick<ActivityDeps, 'clusters' | 'store'>,
  attempt: AttemptRow,
  { kind }: Cause,
): Promise<boolean> {
  // What a drain has ended must not hold its place any longer.
  if (causeStatus[kind] === 'canceled' || kind === 'group_drained') return false
  const job = await readJob(deps.store.db, attempt.jobId)
  return job !== undefined && job.holdOnFailureSeconds > 0 && (await isEnterable(deps, attempt)) === true
}

/**
 * Takes every secret out of a pod before it is left to whoever looks into it; one that cannot be cleared is not kept. To be done after the verdict is
 * stored, as the stored output goes with it, and as often as that is found. Rejects with the reason of `stop`.
 */
export async function clearedForEntry(
  { clusters, store, log }: Pick<ActivityDeps, 'clusters' | 'store' | 'log'>,
  attempt: AttemptRow,
  stop: AbortSignal,
): Promise<boolean> {
  const { jobId, namespace, podName: name, podUid: uid } = attempt
  try {
    const [job, cluster] = await Promise.all([readJob(store.db, jobId), clusters.forAttempt(attempt)])
    if (!job || !cluster || !uid) return false
    const signal = AbortSignal.any([stop, AbortSignal.timeout(clearingPatienceMs)])
    await clearSecrets(cluster, { namespace, name, uid }, { isPlay: !job.container }, signal)
    return true
  } catch (error) {
    stop.throwIfAborted()
    if (error instanceof DatabaseUnavailableError) throw error
    log.warn({ job: jobId, pod: name, reason: String(error) }, 'a pod that cannot be cleared of secrets is not kept')
    return false
  }
}

/** Whether the container of an attempt lives and nobody ends its pod; undefined when that cannot be found out just now. */
export async function isEnterable(
  { clusters }: Pick<ActivityDeps, 'clusters'>,
  attempt: AttemptRow,
): Promise<boolean | undefined> {
  try {
    const cluster = await clusters.forAttempt(attempt)
    if (!cluster) return false
    const pod = await cluster.getPod(attempt.namespace, attempt.podName, { signal: AbortSignal.timeout(patienceMs) })
    const { uid, deletionTimestamp } = pod.metadata
    return uid === attempt.podUid && !deletionTimestamp && podFate(pod, { now: Date.now() }).state === 'running'
  } catch (error) {
    return error instanceof NotFoundError ? false : undefined
  }
}
