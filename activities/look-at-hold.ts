import { readHold, recordDrainedHold } from '../store/holds.ts'
import { readJob } from '../store/run-document.ts'
import type { ActivityDeps } from './deps.ts'
import { ownJob } from './own-job.ts'
import { isEnterable } from './play/entry.ts'
import type { JobActivities } from './types.ts'

/**
 * Tells how long the pod of a job that has ended is still to be kept. One whose container has ended is not worth its place; one whose group is drained goes at the drain's
 * deadline, and the job's record says so.
 */
export function createLookAtHoldActivity(deps: ActivityDeps): JobActivities['lookAtHold'] {
  return async ({ jobId }) => {
    if (!(await readJob(deps.store.db, jobId))) return { msLeft: 0 }
    await ownJob(deps, jobId, { restart: false })
    const hold = await readHold(deps.store.db, jobId)
    if (!hold) await recordDrainedHold(deps.store.db, jobId)
    if (!hold || (await isEnterable(deps, hold.attempt)) === false) return { msLeft: 0 }
    return { msLeft: hold.msLeft }
  }
}
