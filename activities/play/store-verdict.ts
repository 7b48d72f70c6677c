import { type Cause, causeStatus } from '../../model/cause.ts'
import { isFinal } from '../../model/job.ts'
import type { PodSpec } from '../../model/pod-template-types.ts'
import { causeWithNode } from '../../model/post-mortem.ts'
import { parseQuantity } from '../../model/quantity.ts'
import { decideRetry, type RetryDecision } from '../../model/retry.ts'
import { endAttempt, getAttempt, type WrittenAttempt } from '../../store/attempts.ts'
import type { AttemptRow } from '../../store/claims.ts'
import type { Database } from '../../store/database.ts'
import { MissingRowError } from '../../store/errors.ts'
import { holdPod } from '../../store/holds.ts'
import { type JobChanges, retryJob, transitionLocked } from '../../store/job-status.ts'
import { keepLastOutput } from '../../store/last-output.ts'
import { storePostMortem } from '../../store/post-mortems.ts'
import { readJob } from '../../store/run-document.ts'
import type { ActivityDeps } from '../deps.ts'
import { changesOfCause, staleAttempt, verdictOfCause } from '../failures.ts'
import type { Verdict } from '../types.ts'
import { canBeEntered } from './entry.ts'
import { type Known, takePostMortem } from './post-mortem.ts'

/** What follows from how an attempt ended. */
export interface AttemptEnd {
  /** Null after a plain success. */
  found: Cause | null
  known: Known
  changes: JobChanges
  /** Writes what goes with the job's end, in its transaction. */
  further(tx: Database): Promise<JobChanges>
  /** The workflow goes on with verdicts that are not the job's end, and keeps pods: those of an earlier release do not. */
  goesOn: boolean
}

/**
 * Ends an attempt, and decides in the same transaction what becomes of its job: its final status, or one more attempt; and whether the pod is kept
 * for whoever wants to look into it. What was decided once is not decided again.
 */
export async function storeVerdict(deps: ActivityDeps, attempt: AttemptRow, end: AttemptEnd): Promise<Verdict> {
  const { known, goesOn } = end
  const { jobId } = attempt
  const postMortem = end.found && (await takePostMortem(deps, attempt, end.found, known))
  // Only its node tells a pod that was told to leave from one that was lost.
  const found = end.found && causeWithNode(end.found, postMortem?.node ?? null)
  const enterable = found !== null && goesOn && (await canBeEntered(deps, attempt, found))
  const stored = await deps.store.db.transaction(async (tx): Promise<Verdict | null> => {
    const ended = await endAttempt(tx, { attemptId: attempt.id, runId: attempt.runId }, found)
    if (!ended) return null
    if (postMortem) await storePostMortem(tx, { jobId, attempt: attempt.number }, postMortem)
    const decision = found && goesOn ? decide(ended, found, memoryLimitOf(postMortem?.manifest)) : null
    if (found && decision?.again) {
      await keepLastOutput(tx, ended)
      await retryJob(tx, jobId, decision.retries)
      return { ...verdictOfCause(found, false), explanation: decision.explanation, again: true }
    }
    const more = await end.further(tx)
    const explanation = [found?.message, decision?.explanation].filter(Boolean).join(' ')
    const { job, applied } = await transitionLocked(tx, ended.job, found ? causeStatus[found.kind] : 'successful', {
      ...end.changes,
      ...more,
      ...(found ? changesOfCause(found, explanation) : {}),
    })
    if (!found) return { status: 'successful', cause: null, explanation: '', released: false }
    const held = enterable && applied && (await holdPod(tx, ended, job.holdOnFailureSeconds))
    return { ...verdictOfCause(found, false), explanation: job.jobExplanation, ...(held ? { held } : {}) }
  })
  return stored ?? (await decidedBefore(deps, attempt))
}

/** What was decided when the attempt ended; throws StaleAttempt when it was ended without a decision, as by a Reset. */
export async function decidedBefore(
  { store }: Pick<ActivityDeps, 'store'>,
  { id, jobId, number }: Pick<AttemptRow, 'id' | 'jobId' | 'number'>,
): Promise<Verdict> {
  const [job, attempt] = await Promise.all([readJob(store.db, jobId), getAttempt(store.db, id)])
  if (!job) throw new MissingRowError(`job ${jobId} does not exist`)
  if (isFinal(job.status)) {
    const held = attempt?.heldUntil && !attempt.releasedAt ? { held: true } : {}
    return { status: job.status, cause: job.cause, explanation: job.jobExplanation, released: false, ...held }
  }
  if (job.attemptCount !== number || !attempt?.cause || !job.retries.told) {
    throw staleAttempt(`Attempt ${number} is over.`)
  }
  return { ...verdictOfCause(attempt.cause, false), explanation: job.retries.told, again: true }
}

function decide(ended: WrittenAttempt, found: Cause, memoryLimit: number | null): RetryDecision | null {
  const { job } = ended
  // Somebody wants it to end; or it has ended already, and keeps its end.
  if (job.cancelFlag || isFinal(job.status)) return null
  return decideRetry({
    number: ended.number,
    cause: found,
    started: ended.offeredAt !== null || ended.deliveredAt !== null,
    memoryLimit: memoryLimit ?? ended.memoryBytes,
    policy: job.retryPolicy,
    retries: job.retries,
  })
}

/** In bytes; null where the container has none. */
function memoryLimitOf(manifest: Record<string, unknown> | null | undefined): number | null {
  const { containers } = (manifest?.spec ?? {}) as PodSpec
  const limit = containers?.find(({ name }) => name === 'worker')?.resources?.limits?.memory
  const bytes = limit === undefined ? Number.NaN : parseQuantity(String(limit))
  return Number.isNaN(bytes) ? null : bytes
}
