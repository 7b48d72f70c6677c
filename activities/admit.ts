import { setTimeout as sleep } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import {
  AlreadyExistsError,
  ConfigurationError,
  ForbiddenError,
  isTransient,
  KubernetesError,
  NotFoundError,
  QuotaBusyError,
  QuotaExceededError,
  TlsError,
  TooManyRequestsError,
  UnauthorizedError,
  UnreachableError,
  type UnreachableReason,
} from '../kubernetes/errors.ts'
import type { Pod } from '../kubernetes/objects.ts'
import { podName } from '../model/attempt.ts'
import { neverFitsText, refusalText } from '../model/capacity.ts'
import { cause } from '../model/cause.ts'
import { OverrideSyntaxError } from '../model/pod-template.ts'
import { getAttempt, recordPlace, recordPod, releaseAttempt } from '../store/attempts.ts'
import { type AttemptRow, claimAttempt, unclaim } from '../store/claims.ts'
import { DatabaseUnavailableError } from '../store/errors.ts'
import { FencedError } from '../store/fence.ts'
import { type JobRow, transitionJob } from '../store/job-status.ts'
import { notePassedOver, settlePassedOver } from '../store/passed-over.ts'
import { groupNames } from '../store/prepare.ts'
import { type RunDocument, readJobForRun } from '../store/run-document.ts'
import { explainWaiting } from '../store/waiting.ts'
import { cannotTake } from './cannot-take.ts'
import { type ActivityDeps, GroupMisconfiguredError, type GroupPlace } from './deps.ts'
import { throwEnded } from './end-job.ts'
import { noCapacity, owner, staleAttempt, throwIfAsked } from './failures.ts'
import { Heart } from './heart.ts'
import { AwayError, NoRoomError } from './no-room.ts'
import { ownsJob } from './own-job.ts'
import { attemptManifest } from './pod-manifest.ts'
import { providePullSecret } from './pull-secret.ts'
import { type Asked, keepRefusal } from './refusal.ts'
import { isPodOf } from './release-pod.ts'
import type { Admission, AdmitInput, JobActivities } from './types.ts'

/** How long the cluster's or our own bookkeeping is given after it was overtaxed. */
const busyMs = 250
/** An API server that has just started refuses everybody until it has read the rights; longer than this it means it. */
const refusalPatienceMs = 10_000
/** How long the cluster may take to answer when the job is not wanted any more. */
const answerMs = 5_000
/** How long a job that was refused keeps its turn; well below the activity's time-out. */
const turnMs = 50 * 60_000

/**
 * Gets the job a place and a pod. A job whose turn it is and that is refused all the same (the quota is used up, another worker was faster)
 * waits here for room: back in the queue it would stand behind all others (docs/decisions/0006). So does one that has its place but not its
 * pod, because what is away must come back: in the queue of a full group it would wait for its own place.
 */
export function createAdmitActivity(deps: ActivityDeps): JobActivities['admit'] {
  return async (input) => {
    const heart = new Heart(Context.current())
    const waiting = { impact: 1, since: performance.now() }
    const asked = AbortSignal.any([heart.cancel, heart.stop])
    const turn = AbortSignal.any([asked, AbortSignal.timeout(turnMs)])
    const answered = aLittleLater(asked)
    try {
      // One that was here before may have its pod already, and then needs no room.
      if (Context.current().info.attempt === 1) await deps.gates.unbraked(input.groupId, turn)
      for (;;) {
        asked.throwIfAborted()
        const outcome = await admitOnce(deps, input, answered)
        if (!(outcome instanceof Error)) return outcome
        heart.says({ waitsFor: outcome.message })
        if (outcome instanceof NoRoomError) waiting.impact = outcome.impact
        // Its place counts by itself.
        else deps.gates.left(input.groupId, waiting)
        if (outcome.retryAfterMs !== null) await sleep(outcome.retryAfterMs, undefined, { signal: turn })
        else await deps.gates.room(input.groupId, turn, waiting)
      }
    } catch (error) {
      throwIfAsked()
      if (turn.aborted) throw noCapacity('There was no room for a long time: the next job tries.', busyMs)
      throw error
    } finally {
      deps.gates.left(input.groupId, waiting)
      heart.end()
    }
  }
}

async function admitOnce(
  deps: ActivityDeps,
  input: AdmitInput,
  signal: AbortSignal,
): Promise<Admission | NoRoomError | AwayError> {
  const { jobId, groupId } = input
  let job: JobRow | undefined
  try {
    const [document, owned] = await Promise.all([readJobForRun(deps.store.db, jobId), ownsJob(deps, jobId)])
    if (!document) return await throwEnded(deps, jobId)
    if (!owned) throw staleAttempt('The job was prepared by an earlier run of this workflow.')
    job = document.job
    const place = await findPlace(deps, input, job)
    const attempt = await claim(deps, input, job, place)
    const pod = await createPod(deps, input, document, place, attempt, signal)
    await recordStart(deps, { document, place, attempt }, pod)
    return { attemptId: attempt.id, groupId, pod: pod.metadata.name, namespace: place.namespace }
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) return new AwayError(error.message)
    // The attempt was taken away: by a newer run, which the next look at the owner tells, or as one that nobody worked on.
    if (error instanceof FencedError) return new NoRoomError(null, error.message, busyMs)
    if (error instanceof AwayError) return error
    if (!(error instanceof NoRoomError)) throw error
    if (input.hasOthers && job && error.why) {
      const [group] = await groupNames(deps.store.db, [groupId])
      const refused = { groupId, group: group?.name ?? '', why: error.why, message: error.message }
      await notePassedOver(deps.store.db, job, refused)
    }
    // What it waited for before, such as an API server that was away, is over.
    await explainWaiting(deps.store.db, jobId, '', '')
    return error
  }
}

/**
 * Aborts some time after the signal. A pod's creation that is cut off has happened or not, nobody knows, and may even happen after the
 * pod's deletion; so it is given the time to be answered.
 */
function aLittleLater(signal: AbortSignal): AbortSignal {
  const later = new AbortController()
  signal.addEventListener('abort', () => setTimeout(() => later.abort(signal.reason), answerMs).unref(), { once: true })
  return later.signal
}

async function findPlace(deps: ActivityDeps, input: AdmitInput, job: JobRow): Promise<GroupPlace> {
  const { groupId } = input
  try {
    return await deps.clusters.forGroup(groupId)
  } catch (error) {
    if (
      error instanceof GroupMisconfiguredError ||
      error instanceof OverrideSyntaxError ||
      error instanceof ConfigurationError
    ) {
      const where = `/api/v2/instance_groups/${groupId}/: ${error.message}`
      const found = cause('group_misconfigured', error.message, where)
      return await cannotTake(deps, input, { job, why: 'misconfigured', found })
    }
    throw error
  }
}

/** The claim in the store decides; the gate before it only keeps most refusals from happening. */
async function claim(deps: ActivityDeps, input: AdmitInput, job: JobRow, place: GroupPlace): Promise<AttemptRow> {
  const { jobId } = input
  const claimed = await claimAttempt(deps.store.db, { jobId, groupId: place.groupId, ...owner() })
  if ('ended' in claimed) return await throwEnded(deps, jobId)
  if ('neverFits' in claimed) {
    const { maxForks, impact } = claimed.neverFits
    const found = cause('forks_never_fit', neverFitsText(place.groupName, maxForks, impact))
    return await cannotTake(deps, input, { job, why: 'cannot_run', found })
  }
  if ('refused' in claimed) {
    const { refused } = claimed
    const message = `No place in instance group "${place.groupName}": ${refusalText(refused)}.`
    const impact = refused.limit === 'max_forks' ? refused.impact : 1
    throw new NoRoomError(refused.limit === 'draining' ? 'draining' : 'full', message, null, impact)
  }
  if (claimed.attempt.instanceGroupId !== place.groupId)
    throw new NoRoomError(null, 'Another instance group is about to take the job.', busyMs)
  if (claimed.attempt.endedAt) throw new NoRoomError(null, 'The pod of an earlier try is being deleted.', busyMs)
  deps.gates.claimed(place.groupId, podName(jobId, claimed.attempt.number), claimed.attempt.impact)
  return claimed.attempt
}

/** Creates the attempt's pod, or adopts the one that an earlier try made without hearing of it. */
async function createPod(
  deps: ActivityDeps,
  input: AdmitInput,
  document: RunDocument,
  place: GroupPlace,
  attempt: AttemptRow,
  signal: AbortSignal,
): Promise<Pod> {
  const { cluster, namespace } = place
  const name = podName(attempt.jobId, attempt.number)
  const owned = { attemptId: attempt.id, runId: attempt.runId }
  await recordPlace(deps.store.db, owned, {
    clusterKey: cluster.key,
    credentialId: place.credentialId,
    namespace,
    podName: name,
  })
  try {
    // A quota that this pod fills would refuse it a second time before the API server sees that it exists.
    const earlier = attempt.podName === '' ? null : await findPod(place, name, signal)
    if (earlier) return await adopt(deps, place, attempt, earlier)
    const secret = await providePullSecret(deps, document, place, signal)
    const manifest = attemptManifest(document, place, attempt, deps.settings, secret)
    return await cluster.createPod(namespace, manifest, { signal })
  } catch (error) {
    if (!(error instanceof AlreadyExistsError)) return await refused(deps, input, { document, place, attempt }, error)
    const existing = await findPod(place, name, signal)
    if (!existing) throw new NoRoomError(null, error.message, busyMs)
    return await adopt(deps, place, attempt, existing)
  }
}

async function findPod({ cluster, namespace }: GroupPlace, name: string, signal: AbortSignal): Promise<Pod | null> {
  try {
    return await cluster.getPod(namespace, name, { signal })
  } catch (error) {
    if (error instanceof NotFoundError) return null
    throw error
  }
}

/** Another installation may run in the same namespace, and have a job of the same number: then the next attempt's name is tried. */
async function adopt(deps: ActivityDeps, place: GroupPlace, attempt: AttemptRow, pod: Pod): Promise<Pod> {
  if (isPodOf(deps, pod, attempt.jobId)) return pod
  await giveBack(deps, attempt, { numberUnused: false })
  throw new NoRoomError(
    null,
    `Namespace ${place.namespace} has a pod ${pod.metadata.name} that is not this job's.`,
    busyMs,
  )
}

/** What a refusal means: no room (benign, and the brake closes), try again, or the end of the job. */
async function refused(deps: ActivityDeps, input: AdmitInput, asked: Asked, error: unknown): Promise<never> {
  const { place, attempt } = asked
  const { job } = asked.document
  if (!(error instanceof KubernetesError)) throw error
  const found = error.toCause() ?? cause('pod_rejected', error.message)
  const waitedMs = Date.now() - Date.parse(attempt.claimedAt)
  // One that listed pods before and is refused now has met an API server that has just started.
  const known = deps.gates.reached(place.groupId)
  const refusedToKnown = known && (error instanceof UnauthorizedError || error instanceof ForbiddenError)
  if (refusedToKnown && waitedMs < refusalPatienceMs) throw new AwayError(error.message)
  if (isTransient(error) && !isBusy(error)) {
    const unsent = wasNeverSent(error, attempt)
    // Where nobody was ever reached silence is as good; if there is a pod after all, the reaper finds it.
    const unheard = unsent || (!known && error instanceof UnreachableError && error.reason === 'timeout')
    // Else the pod may have been created without our hearing of it: the claim is kept, and the next try adopts what there is. A job that has other groups is not kept from them for long.
    const holds = !input.hasOthers || (!unheard && waitedMs <= deps.settings.endpointPatienceSeconds * 1000)
    const clear = async (last: boolean) => {
      // Of a cluster that is known to be one the end of the pod is waited for.
      if (!last || !known) await giveBack(deps, attempt, { numberUnused: unsent && !last })
      if (last) await keepRefusal(deps, asked, found)
    }
    const since = attempt.claimedAt
    return await cannotTake(deps, input, { job, why: 'unreachable', found, since, holds, clear })
  }
  if (error instanceof QuotaExceededError && !error.neverFits) {
    await giveBack(deps, attempt)
    await deps.gates.closeBrake(place.groupId, error.message)
    throw new NoRoomError('braked', error.message, null)
  }
  if (error instanceof QuotaBusyError) {
    await giveBack(deps, attempt)
    throw new NoRoomError(null, error.message, busyMs)
  }
  if (error instanceof TooManyRequestsError) {
    await giveBack(deps, attempt)
    // Whoever else asks now would only be one more.
    await deps.gates.throttled(place.cluster.host, error.message, Math.max(busyMs, error.retryAfterMs))
    throw new NoRoomError('braked', error.message, null)
  }
  const clear = async (last: boolean) => {
    // What is kept of a refusal that ends the job is kept by its number.
    await giveBack(deps, attempt, last ? { numberUnused: false } : undefined)
    if (last) await keepRefusal(deps, asked, found)
  }
  return await cannotTake(deps, input, { job, why: isRepairable(error) ? 'misconfigured' : 'cannot_run', found, clear })
}

/** Whether the API server cannot have heard of the pod: nobody answered at its address, and no earlier try was under way. */
function wasNeverSent(error: KubernetesError, attempt: AttemptRow): boolean {
  return attempt.podName === '' && error instanceof UnreachableError && neverSent.has(error.reason)
}

const neverSent: ReadonlySet<UnreachableReason> = new Set(['dns', 'refused', 'not-kubernetes'])

/** Whether somebody can repair what the cluster refused, without a change of the job or the group's pod: an identity, a right, a certificate, a namespace. */
function isRepairable(error: KubernetesError): boolean {
  return (
    error instanceof UnauthorizedError ||
    error instanceof ForbiddenError ||
    error instanceof TlsError ||
    error instanceof ConfigurationError ||
    (error instanceof NotFoundError && error.what === 'namespace')
  )
}

/** The cluster has too much to do just now. */
function isBusy(error: KubernetesError): boolean {
  return error instanceof QuotaBusyError || error instanceof TooManyRequestsError
}

/** Gives the place back of an attempt that has no pod. */
async function giveBack(
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

async function recordStart(deps: ActivityDeps, { document, place, attempt }: Asked, pod: Pod): Promise<void> {
  const owned = { attemptId: attempt.id, runId: attempt.runId }
  try {
    await deps.store.db.transaction(async (tx) => {
      await recordPod(tx, owned, {
        clusterKey: place.cluster.key,
        credentialId: place.credentialId,
        namespace: place.namespace,
        podName: pod.metadata.name,
        podUid: pod.metadata.uid,
      })
      const { job } = document
      const wasPassedOver = job.passedOver.length > 0 || job.eligibleGroups[0] !== place.groupId
      if (wasPassedOver && job.eligibleGroups.length > 1) await settlePassedOver(tx, job, place.groupId)
      // Without effect on a job that was cancelled meanwhile; the workflow's release then deletes the pod.
      await transitionJob(tx, attempt.jobId, 'waiting', { instanceGroupId: place.groupId })
    })
  } catch (error) {
    if (error instanceof FencedError) await deleteStray(deps, place, attempt, pod)
    throw error
  }
}

/** Deletes a pod that was created too late: a newer run has begun, or another try of this activity and the whole job are over. */
async function deleteStray(deps: ActivityDeps, place: GroupPlace, attempt: AttemptRow, pod: Pod): Promise<void> {
  const { name, uid } = pod.metadata
  const latest = await getAttempt(deps.store.db, attempt.id)
  if (latest && !latest.releasedAt && latest.podUid === uid) return
  deps.log.info({ job: attempt.jobId, pod: name }, 'deleting a pod that was created too late')
  await place.cluster.deletePod(place.namespace, name, { uid, graceSeconds: 0 })
}
