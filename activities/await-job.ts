import { Context } from '@temporalio/activity'
import { isFinal } from '../model/job.ts'
import { channels } from '../store/channel.ts'
import { readJob } from '../store/run-document.ts'
import type { ActivityDeps } from './deps.ts'
import { noCapacity, throwIfAsked } from './failures.ts'
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
    const signal = heart.asked
    let wake: () => void = () => {}
    let unlisten = async () => {}
    try {
      unlisten = await deps.store.listen(channels.jobs, (payload) => {
        if (payload === null || Number(payload) === jobId) wake()
      })
      signal.addEventListener('abort', () => wake())
      for (;;) {
        const changed = new Promise<void>((resolve) => {
          wake = resolve
        })
        const job = await readJob(deps.store.db, jobId)
        if (!job) return { status: 'canceled', cause: 'canceled', explanation: 'It was deleted.', released: true }
        if (isFinal(job.status)) {
          return { status: job.status, cause: job.cause, explanation: job.jobExplanation, released: true }
        }
        if (!signal.aborted) await changed
        throwIfAsked()
      }
    } finally {
      waiting -= 1
      heart.end()
      await unlisten()
    }
  }
}
