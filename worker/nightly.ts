import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client'
import { mainTaskQueue, nightlyPreflightsScheduleId, workflowTypes } from '../workflows/names.ts'
import type { TemporalLink } from './temporal.ts'

/** A time of the day in UTC. */
export interface TimeOfDay {
  hour: number
  minute: number
}

/** Begins up to so much later, so that many installations do not all begin in the same second. */
const jitterMs = 10 * 60_000

/**
 * Makes sure that all container groups are tested every night at this time; null: never. Idempotent; several workers may do it at once, of which
 * the last one decides. An operator's pause stays.
 */
export async function scheduleNightlyPreflights({ client }: TemporalLink, at: TimeOfDay | null): Promise<void> {
  const handle = client.schedule.getHandle(nightlyPreflightsScheduleId)
  if (!at) {
    await handle.delete().catch((error) => {
      if (!(error instanceof ScheduleNotFoundError)) throw error
    })
    return
  }
  const spec = { calendars: [at], jitter: jitterMs, timezone: 'UTC' }
  try {
    await client.schedule.create({
      scheduleId: nightlyPreflightsScheduleId,
      spec,
      action: {
        type: 'startWorkflow',
        workflowType: workflowTypes.nightlyPreflights,
        taskQueue: mainTaskQueue,
        workflowId: 'preflights',
      },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: 3_600_000 },
    })
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error
    await handle.update((previous) => ({ ...previous, spec }))
  }
}
