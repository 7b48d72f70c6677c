import { type FinalStatus, isFinal } from '../model/job.ts'
import type { Store } from '../store/database.ts'
import type { JobRow } from '../store/job-status.ts'
import { readJob } from '../store/run-document.ts'
import { throwIfAsked } from './failures.ts'
import { hearOfJob } from './job-news.ts'

/** A job that has ended. */
export type EndedJob = JobRow & { status: FinalStatus }

/**
 * Waits, by notification, for the end of a job that somebody else runs; undefined: it was deleted. When `asked` aborts, which is the activity's own cancellation, it rejects with the
 * reason of that.
 */
export async function endOfJob(store: Store, jobId: number, asked: AbortSignal): Promise<EndedJob | undefined> {
  let wake = () => {}
  const stop = () => wake()
  const unlisten = await hearOfJob(store, jobId, () => wake())
  asked.addEventListener('abort', stop)
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve
      })
      const job = await readJob(store.db, jobId)
      if (!job || hasEnded(job)) return job
      if (!asked.aborted) await changed
      throwIfAsked()
    }
  } finally {
    asked.removeEventListener('abort', stop)
    await unlisten()
  }
}

const hasEnded = (job: JobRow): job is EndedJob => isFinal(job.status)
