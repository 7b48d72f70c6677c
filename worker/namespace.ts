import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client'
import { mainTaskQueue, reaperScheduleId, workflowTypes } from '../workflows/names.ts'
import type { TemporalLink } from './temporal.ts'

/** The namespace belongs to another installation, whose work this worker would take. */
export class ForeignNamespaceError extends Error {
  override readonly name = 'ForeignNamespaceError'
  readonly remedy: string
  constructor(namespace: string, owner: string) {
    super(`Temporal's namespace ${namespace} belongs to another installation of Mayfly (${owner})`)
    this.remedy = `give this one a namespace of its own (TEMPORAL_NAMESPACE); if the other one is gone for good, delete its schedule ${reaperScheduleId} there`
  }
}

/**
 * Makes the namespace this installation's, and makes sure that its reaper is scheduled with this interval: the schedule, of which a namespace
 * has one, says whose it is. Idempotent; several workers may do it at once. Throws ForeignNamespaceError. (docs/decisions/0015)
 */
export async function claimNamespace(
  { client, namespace }: TemporalLink,
  installUuid: string,
  reaperIntervalSeconds: number,
): Promise<void> {
  const spec = { intervals: [{ every: reaperIntervalSeconds * 1000 }] }
  const reaper = client.schedule.getHandle(reaperScheduleId)
  for (;;) {
    try {
      await client.schedule.create({
        scheduleId: reaperScheduleId,
        memo: { installation: installUuid },
        spec,
        action: {
          type: 'startWorkflow',
          workflowType: workflowTypes.reaper,
          taskQueue: mainTaskQueue,
          workflowId: 'reaper',
        },
        // A pass that is late is skipped: the next one does the same work.
        policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: reaperIntervalSeconds * 1000 },
      })
      return
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error
    }
    try {
      const owner = (await reaper.describe()).memo?.installation
      if (typeof owner === 'string' && owner !== installUuid) throw new ForeignNamespaceError(namespace, owner)
      if (owner === installUuid) {
        await reaper.update((previous) => ({ ...previous, spec }))
        return
      }
      // Made by a release whose schedules did not say whose they are.
      await reaper.delete()
    } catch (error) {
      // Deleted by somebody else since: looked at anew.
      if (!(error instanceof ScheduleNotFoundError)) throw error
    }
  }
}
