import { requestCancel } from '../store/job-status.ts'
import { readJob } from '../store/run-document.ts'
import type { ActivityDeps } from './deps.ts'
import { ownsJob } from './own-job.ts'
import type { JobActivities } from './types.ts'

/** Writes a cancel that was asked of the workflow itself, in the Temporal UI for one, on the job's row: whoever works on the job hears of that at once. */
export function createNoteCancelActivity({ store }: Pick<ActivityDeps, 'store'>): JobActivities['noteCancel'] {
  return async ({ jobId }) => {
    const job = await readJob(store.db, jobId)
    if (!job || job.cancelFlag || !ownsJob(job)) return
    await store.db.transaction((tx) => requestCancel(tx, jobId))
  }
}
