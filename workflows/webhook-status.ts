import { defineSignal, proxyActivities, setHandler } from '@temporalio/workflow'
import type { JobActivities } from '../activities/types.ts'
import { signals } from './names.ts'

/** Input of the workflow `webhookStatus`. */
export interface WebhookStatusInput {
  jobId: number
}

const { postWebhookStatus } = proxyActivities<Pick<JobActivities, 'postWebhookStatus'>>({
  startToCloseTimeout: '5 minutes',
  scheduleToCloseTimeout: '1 hour',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds' },
})

/**
 * Tells the service whose web hook launched a job how the job stands, one report after the other; changes that come meanwhile are told at the end, the newest
 * only. It fails when the last report did not arrive, so that operators find it in the Temporal UI.
 */
export async function webhookStatus({ jobId }: WebhookStatusInput): Promise<{ posted: string }> {
  let changed = false
  setHandler(defineSignal(signals.statusChanged), () => {
    changed = true
  })
  let posted = ''
  let failure: unknown
  do {
    changed = false
    failure = undefined
    try {
      posted = (await postWebhookStatus({ jobId, posted })).posted
    } catch (error) {
      failure = error
    }
  } while (changed)
  if (failure !== undefined) throw failure
  return { posted }
}
