import { ApplicationFailure, Context } from '@temporalio/activity'
import { ApplicationFailureCategory, CancelledFailure } from '@temporalio/common'
import type { Cause } from '../model/cause.ts'
import { causeStatus } from '../model/cause.ts'
import type { JobChanges } from '../store/job-status.ts'
import { activityFailures, type Verdict } from './types.ts'

/** The verdict that a cause leads to; what Temporal's history gets to know of it is the short message only. */
export function verdictOfCause({ kind, message }: Cause, released: boolean): Verdict {
  return { status: causeStatus[kind], cause: kind, explanation: message, released }
}

/** What a cause writes on the record of a job that ends by it; the explanation may say more than the cause. */
export function changesOfCause(
  { kind, message, detail }: Cause,
  explanation = message,
): Pick<JobChanges, 'cause' | 'explanation' | 'traceback'> {
  return { cause: kind, ...(explanation ? { explanation } : {}), ...(detail ? { traceback: detail } : {}) }
}

/** To throw when the job has ended and its final status is stored. */
export function endedJob(verdict: Verdict): ApplicationFailure {
  return ApplicationFailure.create({
    type: activityFailures.ended,
    message: verdict.explanation || `The job ended as ${verdict.status}.`,
    nonRetryable: true,
    details: [verdict],
  })
}

/** To throw when the group has no room: not an error, and tried again. */
export function noCapacity(message: string, retryAfterMs: number): ApplicationFailure {
  return ApplicationFailure.create({
    type: activityFailures.noCapacity,
    message,
    category: ApplicationFailureCategory.BENIGN,
    nextRetryDelay: retryAfterMs,
  })
}

/** To throw when the group cannot run the job and others may. */
export function unusableGroup(found: Cause): ApplicationFailure {
  return ApplicationFailure.create({
    type: activityFailures.unusable,
    message: found.message,
    nonRetryable: true,
    details: [verdictOfCause(found, false)],
  })
}

/** To throw when what this run believes of the job's place or pod no longer holds. */
export function staleAttempt(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: activityFailures.stale, message, nonRetryable: true })
}

/** To throw when a newer run of the workflow owns what this activity was about to touch. */
export function fenced(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: activityFailures.fenced, message, nonRetryable: true })
}

/** Which execution this activity runs in, the owner that is written beside whatever it makes. */
export function owner(): { workflowId: string; runId: string } {
  const { workflowExecution } = Context.current().info
  if (!workflowExecution) throw new Error('this activity belongs to a workflow')
  return workflowExecution
}

/** Why the running activity was asked to stop, if it was. */
export function cancellationReason(
  context: Context = Context.current(),
): 'cancelled' | 'gone' | 'elsewhere' | undefined {
  if (!context.cancellationSignal.aborted) return undefined
  const details = context.cancellationDetails
  if (details?.cancelRequested) return 'cancelled'
  // Terminated or reset: the result is not wanted, and what the pod is to become is decided by others.
  if (details?.notFound || details?.timedOut) return 'gone'
  return 'elsewhere'
}

/** Rethrows the reason of a cancelled activity, which tells the server the truth where an AbortError would not. */
export function throwIfAsked(): void {
  const { cancellationSignal } = Context.current()
  if (!cancellationSignal.aborted) return
  throw cancellationSignal.reason instanceof Error ? cancellationSignal.reason : new CancelledFailure('CANCELLED')
}
