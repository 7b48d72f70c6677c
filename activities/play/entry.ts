import { NotFoundError } from '../../kubernetes/errors.ts'
import { podFate } from '../../kubernetes/pod-state.ts'
import { type Cause, causeStatus } from '../../model/cause.ts'
import type { AttemptRow } from '../../store/claims.ts'
import { readJob } from '../../store/run-document.ts'
import type { ActivityDeps } from '../deps.ts'

/** The verdict waits for the answer. */
const patienceMs = 5_000

/** Whether the pod of an attempt that failed is to be kept and can be looked into: its container lives and nobody ends it. */
export async function canBeEntered(
  deps: Pick<ActivityDeps, 'clusters' | 'store'>,
  attempt: AttemptRow,
  { kind }: Cause,
): Promise<boolean> {
  if (causeStatus[kind] === 'canceled') return false
  const job = await readJob(deps.store.db, attempt.jobId)
  return job !== undefined && job.holdOnFailureSeconds > 0 && (await isEnterable(deps, attempt)) === true
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
