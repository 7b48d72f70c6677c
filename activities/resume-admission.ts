import { setTimeout as sleep } from 'node:timers/promises'
import { liveAttempt } from '../store/claims.ts'
import { whileAdmitting } from './admission-wait.ts'
import { admitOnce } from './admit.ts'
import type { ActivityDeps } from './deps.ts'
import { noCapacity } from './failures.ts'
import { busyMs } from './no-room.ts'
import type { JobActivities } from './types.ts'

/**
 * Admits a job that has its place, where whoever began with that is gone. It adopts the pod if there is one, and waits for a cluster that is away; it waits for no room, since
 * that is done in line (docs/decisions/0028).
 */
export function createResumeAdmissionActivity(deps: ActivityDeps): JobActivities['resumeAdmission'] {
  return ({ jobId, hasOthers }) =>
    whileAdmitting(deps, jobId, async ({ asked, answered, outlast }) => {
      for (;;) {
        asked.throwIfAborted()
        const groupId = (await liveAttempt(deps.store.db, jobId))?.instanceGroupId ?? null
        if (groupId === null) throw noCapacity('The place that was claimed is given back.', busyMs)
        const outcome = await admitOnce(deps, { jobId, groupId, hasOthers }, answered)
        if (!(outcome instanceof Error)) return outcome
        const { message, retryAfterMs } = outcome
        if (retryAfterMs === null) throw noCapacity(message, busyMs)
        await outlast(outcome, asked, async (signal) => void (await sleep(retryAfterMs, undefined, { signal })))
      }
    })
}
