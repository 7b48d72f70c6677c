import { Context } from '@temporalio/activity'
import { ApplicationFailure } from '@temporalio/common'
import { readDueStatus } from '../../store/webhook-status.ts'
import type { ActivityDeps } from '../deps.ts'
import { activityFailures, type JobActivities } from '../types.ts'
import { post } from './http.ts'
import { DeliveryError } from './sender.ts'

/** How often a service is tried that does not answer, or answers that it cannot for now. */
const mostTries = 5

/**
 * Tells the service whose web hook launched a job how the job stands now. `posted` is what it was told last; the same is not told twice. A service that
 * refuses does not hurt the job.
 */
export function createPostWebhookStatusActivity(
  deps: Pick<ActivityDeps, 'store' | 'keyring' | 'settings' | 'log'>,
): JobActivities['postWebhookStatus'] {
  return async ({ jobId, posted }) => {
    const { publicUrl, notificationSeconds } = deps.settings
    const due = await readDueStatus(deps.store.db, deps.keyring, jobId, publicUrl)
    if (!due || due.status === posted) return { posted: due?.status ?? posted }
    const { cancellationSignal, info } = Context.current()
    const signal = AbortSignal.any([cancellationSignal, AbortSignal.timeout(notificationSeconds * 1000)])
    try {
      const { url, post: said } = due
      const complaint = 'The status of the commit was not taken'
      await post({ url, headers: said.headers, body: JSON.stringify(said.body), complaint }, signal)
      return { posted: due.status }
    } catch (error) {
      cancellationSignal.throwIfAborted()
      const permanent = error instanceof DeliveryError && error.permanent
      const words = signal.aborted
        ? `${new URL(due.url).host} did not answer within ${notificationSeconds} seconds`
        : error instanceof Error
          ? error.message
          : String(error)
      // What a service answers may hold what it was sent.
      const message = due.token === '' ? words : words.replaceAll(due.token, '…')
      deps.log.warn({ job: jobId, reason: message }, 'a service was not told how its job stands')
      throw ApplicationFailure.create({
        type: activityFailures.undelivered,
        message,
        nonRetryable: permanent || info.attempt >= mostTries,
      })
    }
  }
}
