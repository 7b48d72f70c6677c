import { notificationGivenUp } from '../../store/notifications/deliveries.ts'
import type { ActivityDeps } from '../deps.ts'
import type { JobActivities } from '../types.ts'

/** Says on the row that nobody tries any more. What the last try said stays as the reason. */
export function createGiveUpNotificationActivity(
  deps: Pick<ActivityDeps, 'store'>,
): JobActivities['giveUpNotification'] {
  return async ({ notificationId, reason }) => {
    await notificationGivenUp(deps.store.db, notificationId, reason)
  }
}
