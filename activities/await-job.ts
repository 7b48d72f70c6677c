import { Context } from '@temporalio/activity'
import type { ActivityDeps } from './deps.ts'
import { endOfJob } from './end-of-job.ts'
import { noCapacity } from './failures.ts'
import { Heart } from './heart.ts'
import type { JobActivities } from './types.ts'

/** Who waits holds a slot for activities; beyond this many of a worker they come again, so that what they wait for finds a slot. */
const mostAtOnce = 200
/** Spread, so that a thousand do not come again at once. */
const comeAgainMs = () => 2_000 + Math.random() * 4_000

let waiting = 0

/** Waits for the end of a job that somebody else runs, by notification. */
export function createAwaitJobActivity(deps: ActivityDeps): JobActivities['awaitJob'] {
  return async ({ jobId }) => {
    if (waiting >= mostAtOnce)
      throw noCapacity(`Many wait for the end of other jobs already, this one for job ${jobId}.`, comeAgainMs())
    waiting += 1
    const heart = new Heart(Context.current())
    try {
      const job = await endOfJob(deps.store, jobId, heart.asked)
      if (!job) return { status: 'canceled', cause: 'canceled', explanation: 'It was deleted.', released: true }
      return { status: job.status, cause: job.cause, explanation: job.jobExplanation, released: true }
    } finally {
      waiting -= 1
      heart.end()
    }
  }
}
