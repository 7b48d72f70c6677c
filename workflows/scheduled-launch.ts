import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common'
import { ApplicationFailure, proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow'
import type { JobActivities, ScheduledRun } from '../activities/types.ts'
import { scheduledLaunchFailureType } from './types.ts'

/** Input of the workflow `scheduledLaunch`. The instant (`2026-11-21T18:00:00Z`) is absent where a Temporal schedule starts it, which says it in its own way. */
export interface ScheduledLaunchInput {
  scheduleId: number
  instant?: string
}

/** Written by Temporal: the instant of the schedule that started the workflow, without jitter. */
const startTime = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME)

/** Tried without end while the database is away: a run is late then, and its catch-up window says how late it may be. */
const { runSchedule } = proxyActivities<Pick<JobActivities, 'runSchedule'>>({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '250 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
})

/** One run of a schedule: launches its template. It fails when the template cannot be launched, so that operators find it in the Temporal UI. */
export async function scheduledLaunch({ scheduleId, instant }: ScheduledLaunchInput): Promise<ScheduledRun> {
  const at = instant ?? workflowInfo().typedSearchAttributes.get(startTime)?.toISOString()
  if (at === undefined) {
    throw ApplicationFailure.nonRetryable('Started without an instant: by neither Mayfly nor a schedule of it.')
  }
  const run = await runSchedule({ scheduleId, instant: at })
  const job = run.jobId === null ? '' : `job ${run.jobId}. `
  setCurrentDetails(`**${run.state}**: ${job}${run.explanation}`)
  if (run.state === 'failed') {
    throw ApplicationFailure.create({ type: scheduledLaunchFailureType, message: run.explanation, nonRetryable: true })
  }
  return run
}
