import { Context } from '@temporalio/activity'
import { KubernetesError } from '../kubernetes/errors.ts'
import { cause } from '../model/cause.ts'
import { isFinal } from '../model/job.ts'
import { type ReachableAttempt, readReachable } from '../store/attempts.ts'
import type { AttemptRow } from '../store/claims.ts'
import { type RunDocument, readJobForRun } from '../store/run-document.ts'
import type { ActivityDeps } from './deps.ts'
import { throwEnded } from './end-job.ts'
import { staleAttempt, throwIfAsked } from './failures.ts'
import { Heart } from './heart.ts'
import { ownJob, ownsJob } from './own-job.ts'
import { concludeWith } from './play/conclude.ts'
import { clearedForEntry } from './play/entry.ts'
import { playInPod } from './play/play-in-pod.ts'
import { decidedBefore } from './play/store-verdict.ts'
import { releaseAttemptAndPod } from './release-pod.ts'
import type { JobActivities, Verdict } from './types.ts'

/** A pod that is not gone by then is left to the workflow's own release, and then to the reaper. */
const removalPatienceMs = 60_000

/**
 * Runs the play of an attempt to its end and its pod to its deletion. It can be taken up by any worker at any moment: what was delivered is
 * not delivered again, what was stored is not read again, and a verdict that was stored is not asked for again.
 */
export function createRunInPodActivity(deps: ActivityDeps): JobActivities['runInPod'] {
  return async ({ jobId, attemptId, goesOn = false }) => {
    const heart = new Heart(Context.current(), { rare: true })
    const unfollow = deps.cancels.follow(jobId, () => heart.cancelled())
    try {
      const run = await ownAttempt(deps, jobId, attemptId)
      const { attempt } = run
      const { held, ...verdict } = await verdictOf(deps, run, heart, goesOn)
      if (held && (await clearedForEntry(deps, attempt, heart.stop))) return { ...verdict, held }
      return { ...verdict, released: await released(deps, attempt, heart) }
    } catch (error) {
      // The reason of the cancellation must be what escapes: an AbortError would be reported as cancelled.
      throwIfAsked()
      throw error
    } finally {
      unfollow()
      heart.end()
    }
  }
}

/**
 * Gives the place back before the activity ends, so that the happy path needs no activity more. A cancellation that comes now changes
 * nothing any more; only a wish to stop leaves the pod to others. False when the pod would not go, as on a node that is down or without the
 * right to delete.
 */
async function released(deps: ActivityDeps, attempt: AttemptRow, heart: Heart): Promise<boolean> {
  const patience = AbortSignal.timeout(removalPatienceMs)
  try {
    await releaseAttemptAndPod(deps, attempt, AbortSignal.any([heart.stop, patience]))
    return true
  } catch (error) {
    if (heart.stop.aborted || !(patience.aborted || error instanceof KubernetesError)) throw error
    deps.log.warn({ job: attempt.jobId, pod: attempt.podName, reason: String(error) }, 'the pod does not go')
    return false
  }
}

/** An attempt that this run owns, and all that its job refers to. */
interface OwnedRun extends ReachableAttempt {
  document: RunDocument
}

/**
 * The attempt, owned by this run. A run that an operator's Reset started goes on with the pod of the run before while that is at work; what
 * has ended is done again from the beginning.
 */
async function ownAttempt(deps: ActivityDeps, jobId: number, attemptId: number): Promise<OwnedRun> {
  const document = await readJobForRun(deps.store.db, jobId)
  if (!document) return await throwEnded(deps, jobId)
  const found = await readReachable(deps.store.db, attemptId)
  if (!found) throw staleAttempt(`There is no attempt ${attemptId} of job ${jobId}.`)
  const { attempt } = found
  const isOver = isFinal(document.job.status) || attempt.endedAt !== null
  // One that is over: an earlier try of this activity brought the attempt to its end and died before it could say so.
  if (ownsJob(document.job)) return { document, ...found }
  if (isOver || attempt.releasedAt) throw staleAttempt(`Attempt ${attempt.number} is over.`)
  await ownJob(deps, jobId, { restart: false })
  // Read anew: until now the run before may have stored more of the output.
  const [documentNow, foundNow] = await Promise.all([
    readJobForRun(deps.store.db, jobId),
    readReachable(deps.store.db, attemptId),
  ])
  return { document: documentNow ?? document, ...(foundNow ?? found) }
}

async function verdictOf(
  deps: ActivityDeps,
  { document, attempt, credential }: OwnedRun,
  heart: Heart,
  goesOn: boolean,
): Promise<Verdict> {
  if (attempt.endedAt || isFinal(document.job.status)) return await decidedBefore(deps, attempt)
  if (document.job.cancelFlag) heart.cancelled()
  const cluster = await deps.clusters.forAttempt(attempt, credential)
  if (!cluster || !attempt.podUid) {
    const message =
      'The cluster of this job can no longer be reached: its group or the credential of its group was changed.'
    return await concludeWith(deps, attempt, cause('group_misconfigured', message), { goesOn })
  }
  const pod = { namespace: attempt.namespace, name: attempt.podName, uid: attempt.podUid }
  return await playInPod(deps, { document, attempt, cluster, pod, heart, goesOn })
}
