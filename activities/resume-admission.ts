import { setTimeout as sleep } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import { attemptsOf } from '../store/attempts.ts'
import { admitOnce, aLittleLater } from './admit.ts'
import type { ActivityDeps } from './deps.ts'
import { noCapacity, throwIfAsked } from './failures.ts'
import { Heart } from './heart.ts'
import { JobNews } from './job-news.ts'
import { busyMs } from './no-room.ts'
import type { JobActivities } from './types.ts'

/**
 * Admits a job that has its place, where whoever began with that is gone. It adopts the pod if there is one, and waits for a cluster that is away; it waits for no room, since
 * that is done in line (docs/decisions/0028).
 */
export function createResumeAdmissionActivity(deps: ActivityDeps): JobActivities['resumeAdmission'] {
  return async ({ jobId, hasOthers }) => {
    const heart = new Heart(Context.current())
    const asked = AbortSignal.any([heart.cancel, heart.stop])
    const answered = aLittleLater(asked)
    let news: JobNews | undefined
    try {
      for (;;) {
        asked.throwIfAborted()
        const groupId = await claimedGroup(deps, jobId)
        if (groupId === null) throw noCapacity('The place that was claimed is given back.', busyMs)
        const outcome = await admitOnce(deps, { jobId, groupId, hasOthers }, answered)
        if (!(outcome instanceof Error)) return outcome
        const { message, retryAfterMs } = outcome
        if (retryAfterMs === null) throw noCapacity(message, busyMs)
        heart.says({ waitsFor: message })
        news ??= await JobNews.of(deps.store, jobId)
        await news.interrupt(asked, async (signal) => void (await sleep(retryAfterMs, undefined, { signal })))
      }
    } catch (error) {
      throwIfAsked()
      throw error
    } finally {
      heart.end()
      await news?.end()
    }
  }
}

/** The group in which the job has a place. */
async function claimedGroup({ store }: ActivityDeps, jobId: number): Promise<number | null> {
  const live = (await attemptsOf(store.db, jobId)).find(({ releasedAt }) => releasedAt === null)
  return live?.instanceGroupId ?? null
}
