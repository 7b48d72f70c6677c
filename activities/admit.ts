import { setTimeout as sleep } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import { AlreadyExistsError, NotFoundError } from '../kubernetes/errors.ts'
import type { Pod } from '../kubernetes/objects.ts'
import { podName } from '../model/attempt.ts'
import { neverFitsText, refusalText } from '../model/capacity.ts'
import { cause } from '../model/cause.ts'
import { getAttempt, recordPlace, recordPod } from '../store/attempts.ts'
import { type AttemptRow, claimAttempt } from '../store/claims.ts'
import { DatabaseUnavailableError } from '../store/errors.ts'
import { FencedError } from '../store/fence.ts'
import { type JobRow, transitionLocked } from '../store/job-status.ts'
import { notePassedOver, settlePassedOver } from '../store/passed-over.ts'
import { groupNames } from '../store/prepare.ts'
import { type RunDocument, readJobForRun } from '../store/run-document.ts'
import { takeStep } from '../store/step.ts'
import { explainWaiting } from '../store/waiting.ts'
import { whileAdmitting } from './admission-wait.ts'
import { cannotTake } from './cannot-take.ts'
import type { ActivityDeps, GroupPlace } from './deps.ts'
import { endJob, throwEnded } from './end-job.ts'
import { noCapacity, owner, staleAttempt } from './failures.ts'
import { giveBack } from './give-back.ts'
import { isMisconfigured } from './misconfigured.ts'
import { AwayError, busyMs, NoRoomError } from './no-room.ts'
import { ownsJob } from './own-job.ts'
import { attemptManifest } from './pod-manifest.ts'
import { providePullSecret } from './pull-secret.ts'
import type { Asked } from './refusal.ts'
import { refused } from './refused.ts'
import { isPodOf } from './release-pod.ts'
import type { Admission, AdmitInput, JobActivities } from './types.ts'

/** How long a job that was refused keeps its turn; well below the activity's time-out. */
const turnMs = 50 * 60_000

/**
 * Gets the job a place and a pod. A job whose turn it is and that is refused all the same (the quota is used up, another worker was faster)
 * waits here for room: back in the queue it would stand behind all others (docs/decisions/0006). So does one that has its place but not its
 * pod, because what is away must come back: in the queue of a full group it would wait for its own place.
 */
export function createAdmitActivity(deps: ActivityDeps): JobActivities['admit'] {
  return (input) =>
    whileAdmitting(deps, input.jobId, async ({ asked, answered, outlast }) => {
      const waiting = { impact: 1, since: performance.now() }
      const turn = AbortSignal.any([asked, AbortSignal.timeout(turnMs)])
      try {
        // One that was here before may have its pod already, and then needs no room.
        if (Context.current().info.attempt === 1) await deps.gates.unbraked(input.groupId, turn)
        for (;;) {
          asked.throwIfAborted()
          const outcome = await admitOnce(deps, input, answered)
          if (!(outcome instanceof Error)) return outcome
          if (outcome instanceof NoRoomError) waiting.impact = outcome.impact
          // Its place counts by itself.
          else deps.gates.left(input.groupId, waiting)
          await outlast(outcome, turn, async (signal) => {
            if (outcome.retryAfterMs !== null) await sleep(outcome.retryAfterMs, undefined, { signal })
            else await deps.gates.room(input.groupId, signal, waiting)
          })
        }
      } catch (error) {
        if (turn.aborted) throw noCapacity('There was no room for a long time: the next job tries.', busyMs)
        throw error
      } finally {
        deps.gates.left(input.groupId, waiting)
      }
    })
}

/** One try. What stands in its way is returned: the claim is given back (NoRoomError), or kept (AwayError). Throws where the job does not go on here. */
export async function admitOnce(
  deps: ActivityDeps,
  input: AdmitInput,
  signal: AbortSignal,
): Promise<Admission | NoRoomError | AwayError> {
  const { jobId, groupId } = input
  let job: JobRow | undefined
  try {
    const document = await readJobForRun(deps.store.db, jobId)
    if (!document) return await throwEnded(deps, jobId)
    if (!ownsJob(document.job)) throw staleAttempt('The job was prepared by an earlier run of this workflow.')
    job = document.job
    // Whoever waits here hears of it sooner than by a heartbeat.
    if (job.cancelFlag) return await endJob(deps, jobId, cause('canceled', ''))
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

async function findPlace(deps: ActivityDeps, input: AdmitInput, job: JobRow): Promise<GroupPlace> {
  const { groupId } = input
  try {
    return await deps.clusters.forGroup(groupId)
  } catch (error) {
    if (!isMisconfigured(error)) throw error
    const where = `/api/v2/instance_groups/${groupId}/: ${error.message}`
    const found = cause('group_misconfigured', error.message, where)
    return await cannotTake(deps, input, { job, why: 'misconfigured', found })
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

async function recordStart(deps: ActivityDeps, { document, place, attempt }: Asked, pod: Pod): Promise<void> {
  const owned = { attemptId: attempt.id, runId: attempt.runId }
  const { cluster, credentialId, namespace, groupId: instanceGroupId } = place
  const podPlace = {
    ...{ clusterKey: cluster.key, credentialId, namespace },
    ...{ podName: pod.metadata.name, podUid: pod.metadata.uid },
  }
  const { job } = document
  const wasPassedOver =
    job.eligibleGroups.length > 1 && (job.passedOver.length > 0 || job.eligibleGroups[0] !== place.groupId)
  const step = { name: 'created', place: podPlace, instanceGroupId } as const
  if (!wasPassedOver && (await takeStep(deps.store.db, owned, job, step))) return
  try {
    await deps.store.db.transaction(async (tx) => {
      const recorded = await recordPod(tx, owned, podPlace)
      if (wasPassedOver) await settlePassedOver(tx, job, place.groupId)
      // Without effect on a job that was cancelled meanwhile; the workflow's release then deletes the pod.
      await transitionLocked(tx, recorded.job, 'waiting', { instanceGroupId })
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
