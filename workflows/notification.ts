import { ApplicationFailure, CancellationScope, isCancellation, proxyActivities, rootCause } from '@temporalio/workflow'
import type { JobActivities } from '../activities/types.ts'
import { notificationFailureType } from './types.ts'

/** Input of the workflow `notification`: no word of the message enters a history. */
export interface NotificationInput {
  notificationId: number
}

/** Which errors are worth another try is the activity's decision; here is only the end of all patience, outages of our own included. */
const { deliver, giveUpNotification } = proxyActivities<Pick<JobActivities, 'deliver' | 'giveUpNotification'>>({
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  startToCloseTimeout: '5 minutes',
  scheduleToCloseTimeout: '1 hour',
  heartbeatTimeout: '12 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
})

/** One message to one target. It fails when the message could not be delivered, so that operators find it in the Temporal UI. */
export async function notification(input: NotificationInput): Promise<{ sent: number }> {
  try {
    return await deliver(input)
  } catch (error) {
    const reason = isCancellation(error) ? 'It was cancelled in Temporal.' : (rootCause(error) ?? 'It failed.')
    await CancellationScope.nonCancellable(() => giveUpNotification({ ...input, reason }))
    throw ApplicationFailure.create({ type: notificationFailureType, message: reason, nonRetryable: true })
  }
}
