import type { Cluster } from '../../kubernetes/cluster.ts'
import { causeOfTermination } from '../../kubernetes/pod-end.ts'
import { PodEndedError, PodNotStartingError } from '../../kubernetes/pod-errors.ts'
import type { SpooledPod } from '../../kubernetes/pod-talk.ts'
import { acknowledge, deliverPayload, signalRunner } from '../../kubernetes/spool.ts'
import type { SpoolSession } from '../../kubernetes/spool-session.ts'
import { cause } from '../../model/cause.ts'
import type { Payload } from '../../runner/payload.ts'
import { recordDelivered, recordOffered } from '../../store/attempts.ts'
import type { AttemptRow } from '../../store/claims.ts'
import { describeRun, transitionLocked } from '../../store/job-status.ts'
import type { RunDocument } from '../../store/run-document.ts'
import { takeStep } from '../../store/step.ts'
import type { ActivityDeps } from '../deps.ts'
import type { Heart } from '../heart.ts'
import type { Verdict } from '../types.ts'
import { collectOutput } from './collect.ts'
import { conclude, concludeWith, type Ended } from './conclude.ts'
import { causeOfError } from './errors.ts'
import { followEviction } from './eviction.ts'
import type { Interruption } from './interruption.ts'
import { followScheduling } from './no-node.ts'
import { causeOfEnding } from './pod-ending.ts'
import { prepareRun } from './prepared-run.ts'
import type { PreparedRun } from './run-parts.ts'

/** A job and the pod that its attempt has. */
export interface PlayInput {
  document: RunDocument
  attempt: AttemptRow
  cluster: Cluster
  pod: SpooledPod
  heart: Heart
  /** See AttemptEnd. */
  goesOn: boolean
}

/** After a cancel the runner has this long to end the play and hand over its output; then the pod is deleted as it is. */
const cancelPatienceMs = 20_000
const letGoPatienceMs = 5_000

/** What a pod gets that was created long ago, perhaps while no worker lived. */
const leastPendingMs = 15_000

/** Brings the payload in, reads the output to its end and stores the verdict. */
export async function playInPod(deps: ActivityDeps, input: PlayInput): Promise<Verdict> {
  const { document, attempt, heart, goesOn } = input
  let run: PreparedRun | undefined
  /** The connection that delivered the payload; all that follows goes over it as long as it holds. */
  let session: SpoolSession | null = null
  const eviction = followEviction(deps, attempt)
  try {
    run = await prepareRun(deps, document, AbortSignal.any([heart.cancel, eviction.signal, heart.stop]))
    if (attempt.phase === 'claimed' || attempt.phase === 'created') {
      session = await deliver(deps, input, run, eviction.signal)
      await noteDelivered(deps, input)
    }
    const ended = await collect(deps, input, run, eviction, session)
    const verdict = await conclude(deps, attempt, run, { ...ended, cancelRequested: heart.cancel.aborted, goesOn })
    if (!verdict.held) await letGo(deps, input, ended, session)
    return verdict
  } catch (error) {
    if (heart.stop.aborted) throw error
    if (heart.cancel.aborted) return await concludeWith(deps, attempt, cause('canceled', ''), { run, goesOn })
    const found = eviction.cause ?? (await causeOfError(deps, input, error))
    if (!found) throw error
    const seen = error instanceof PodEndedError ? error.pod : null
    return await concludeWith(deps, attempt, found, { run, seen, goesOn })
  } finally {
    session?.close()
    eviction.end()
  }
}

/** Delivers the payload; null when the play was started already. From here on the play is never started again. */
async function deliver(
  deps: ActivityDeps,
  { document, attempt, cluster, pod, heart }: PlayInput,
  run: PreparedRun,
  evicted: AbortSignal,
): Promise<SpoolSession | null> {
  heart.says({ phase: 'starting', pod: pod.name })
  const payload = await run.payload()
  run.secrets.push(...payload.secrets)
  const pending = AbortSignal.timeout(pendingMs(deps, attempt))
  const node = followScheduling(deps, cluster, pod)
  try {
    return await deliverPayload(
      cluster,
      pod,
      document.job.retryPolicy.lost_before_start ? () => noted(deps, attempt, payload) : () => payload.stream(),
      payload.size,
      AbortSignal.any([heart.cancel, evicted, heart.stop, pending, node.signal]),
    )
  } catch (error) {
    throw node.cause ? new PodNotStartingError(node.cause) : error
  } finally {
    node.end()
  }
}

/** The job runs, and its attempt is never delivered again. */
async function noteDelivered({ store }: ActivityDeps, { document, attempt }: PlayInput): Promise<void> {
  const owned = { attemptId: attempt.id, runId: attempt.runId }
  if (await takeStep(store.db, owned, document.job, { name: 'delivered' })) return
  await store.db.transaction(async (tx) => {
    const { job } = await recordDelivered(tx, owned)
    await transitionLocked(tx, job, 'running')
  })
}

/**
 * The payload, with a note before its first byte: a pod that is lost while nobody knows whether its play has begun must not count as one that
 * never began. The pod takes a payload at the earliest after that byte.
 */
async function* noted(deps: ActivityDeps, { id: attemptId, runId }: AttemptRow, payload: Payload) {
  await recordOffered(deps.store.db, { attemptId, runId })
  yield* payload.stream()
}

/** How long the pod may still take to start, counted from its creation; a worker that took over gives it a moment in any case. */
function pendingMs({ settings }: Pick<ActivityDeps, 'settings'>, { podCreatedAt }: AttemptRow): number {
  const wholeMs = settings.podPendingSeconds * 1000
  const waitedMs = podCreatedAt === null ? 0 : Date.now() - Date.parse(podCreatedAt)
  return Math.max(wholeMs - Math.max(waitedMs, 0), Math.min(wholeMs, leastPendingMs))
}

type Collection = Omit<Ended, 'cancelRequested' | 'goesOn'>

/** Reads to the end; on a cancel or an eviction tells the runner first, and goes on reading what it still has to say. */
async function collect(
  deps: ActivityDeps,
  input: PlayInput,
  run: PreparedRun,
  eviction: Interruption,
  session: SpoolSession | null,
): Promise<Collection> {
  const { attempt, cluster, pod, heart } = input
  const enough = new AbortController()
  const signal = AbortSignal.any([heart.stop, enough.signal])
  const tellRunner = () => {
    setTimeout(() => enough.abort(), cancelPatienceMs).unref()
    signalRunner(cluster, pod, signal).then(
      (answer) => answer === 'not-started' && enough.abort(),
      () => enough.abort(),
    )
  }
  const unwanted = AbortSignal.any([heart.cancel, eviction.signal])
  if (unwanted.aborted) tellRunner()
  else unwanted.addEventListener('abort', tellRunner, { once: true })
  try {
    heart.says({ phase: 'running', pod: pod.name, offset: attempt.offset })
    const collected = await collectOutput(deps, {
      jobId: attempt.jobId,
      attemptId: attempt.id,
      runId: attempt.runId,
      cluster,
      pod,
      session,
      offset: attempt.offset,
      lastCounter: attempt.lastCounter,
      hostIds: run.hostIds,
      secrets: run.secrets,
      reader: run.reader,
      signal,
      onStarting: async (starting) => {
        await describeRun(deps.store.db, attempt.jobId, attempt.runId, starting)
      },
      onStored: (offset) => heart.says({ phase: 'running', pod: pod.name, offset }),
    })
    heart.says({ phase: 'ending', pod: pod.name, offset: collected.offset })
    if (collected.complete) {
      // The eof record proves that the output is whole; who else may have ended the runner is asked of the pod before it is let go.
      const stoppedByOthers = collected.status?.status === 'canceled' && !heart.cancel.aborted
      const podEnding = stoppedByOthers ? (eviction.cause ?? (await causeOfEnding(cluster, pod, signal))) : null
      return { collected, end: null, podEnding, pod: null }
    }
    // A runner that ended without a word needs its pod to explain it.
    const last = await cluster.getPod(pod.namespace, pod.name, { signal }).catch(() => null)
    const podEnding = eviction.cause ?? (last && causeOfTermination(last))
    const proof = acknowledge(cluster, pod, collected.offset, signal, { keep: true })
    // A pod that others end may be gone before its output is proven to be whole, which then changes nothing.
    return { collected, end: await (podEnding ? proof.catch(() => null) : proof), podEnding, pod: last }
  } finally {
    unwanted.removeEventListener('abort', tellRunner)
  }
}

/**
 * Tells the wrapper that everything was stored, so that the container ends at once and not only by its deletion. To be done after the verdict
 * is stored: a pod that was let go says nothing any more to whoever would have to ask again. Not needed for anything, so never an error.
 */
async function letGo(
  { log }: ActivityDeps,
  { cluster, pod, heart }: PlayInput,
  { collected, end }: Collection,
  session: SpoolSession | null,
): Promise<void> {
  // Of output that is neither whole nor proven the pod may still have more to say; its deletion ends it.
  if (!collected.complete && !end) return
  const signal = AbortSignal.any([heart.stop, AbortSignal.timeout(letGoPatienceMs)])
  try {
    if (session && (await session.acknowledge(collected.offset, signal))) return
    await acknowledge(cluster, pod, collected.offset, signal)
  } catch (error) {
    log.debug({ pod: pod.name, reason: String(error) }, 'the pod was not told that its output is stored')
  }
}
