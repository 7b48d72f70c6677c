import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  isCancellation,
  rootCause,
} from '@temporalio/workflow'
import { activityFailures, type Verdict } from '../activities/types.ts'
import { jobFailureType } from './types.ts'

/** The ApplicationFailure that an activity or child workflow ended with, if that is what `error` is. */
function applicationFailure(error: unknown): ApplicationFailure | undefined {
  if (!(error instanceof ActivityFailure || error instanceof ChildWorkflowFailure)) return undefined
  return error.cause instanceof ApplicationFailure ? error.cause : undefined
}

/** Whether an activity failed with one of the types in activities/types.ts. */
export function failedAs(error: unknown, type: keyof typeof activityFailures): boolean {
  return applicationFailure(error)?.type === activityFailures[type]
}

/** Whether an activity failed in a way that no further try can mend. */
export function failedForGood(error: unknown): boolean {
  return applicationFailure(error)?.nonRetryable === true
}

/**
 * What an error of the main line means for the job. `stored` tells that an activity has written the final status already;
 * otherwise the workflow still owes it. `cancelled`: the workflow was asked to cancel; an activity that fails then, even by a worker's
 * death, is not tried again by the server, so its failure says nothing about the job.
 */
export function verdictOf(error: unknown, cancelled: boolean): { verdict: Verdict; stored: boolean } {
  if (failedAs(error, 'ended')) {
    return { verdict: applicationFailure(error)?.details?.[0] as Verdict, stored: true }
  }
  if (failedAs(error, 'unusable') && !cancelled) {
    return { verdict: applicationFailure(error)?.details?.[0] as Verdict, stored: false }
  }
  if (cancelled || isCancellation(error)) {
    return { verdict: { status: 'canceled', cause: 'canceled', explanation: '', released: false }, stored: false }
  }
  const explanation = rootCause(error) ?? String(error)
  return { verdict: { status: 'error', cause: 'internal', explanation, released: false }, stored: false }
}

/** Ends the workflow as its job ended: Completed, Failed or Cancelled, so that operators find failed jobs in the Temporal UI. */
export function conclude(verdict: Verdict): Verdict {
  if (verdict.status === 'successful') return verdict
  if (verdict.status === 'canceled') throw new CancelledFailure(verdict.explanation || 'The job was canceled.')
  throw ApplicationFailure.create({
    type: jobFailureType,
    nonRetryable: true,
    message: verdict.explanation || `The job ended as ${verdict.status}.`,
    details: [verdict],
  })
}
