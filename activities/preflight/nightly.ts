import { containerGroupIds } from '../../store/groups.ts'
import { beginNightlyPreflight } from '../../store/preflights.ts'
import type { ActivityDeps } from '../deps.ts'
import type { JobActivities } from '../types.ts'

/** Groups that one run of the workflow tests, so that its history stays short. */
const batch = 200

/** Which groups are tested next. */
export function createNextGroupsToTestActivity({ store }: ActivityDeps): JobActivities['nextGroupsToTest'] {
  return async ({ after }) => {
    const ids = await containerGroupIds(store.db)
    return { groupIds: ids.filter((id) => id > after).slice(0, batch) }
  }
}

/** Writes down the nightly test of a group. */
export function createBeginNightlyPreflightActivity({ store }: ActivityDeps): JobActivities['beginNightlyPreflight'] {
  return async ({ groupId }) => ({ preflightId: (await beginNightlyPreflight(store.db, groupId)) ?? null })
}
