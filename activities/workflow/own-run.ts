import { ownerOfJob, takeJob } from '../../store/ownership.ts'
import { restartRun } from '../../store/workflow/continue.ts'
import type { ActivityDeps } from '../deps.ts'
import { fenced, owner } from '../failures.ts'

/** Somebody took the workflow job between our look and our taking it; another try looks again. */
class OwnerChangedError extends Error {
  override name = 'OwnerChangedError'
}

/**
 * Makes the run of this activity the owner of the workflow job. A run that goes on where `continues` ended takes it as it stands. Any other owner on
 * record means that an operator reset the workflow: then what succeeded stays, and the rest runs anew.
 */
export async function ownRun(
  { store, workflows }: Pick<ActivityDeps, 'store' | 'workflows'>,
  jobId: number,
  continues: string | null,
): Promise<void> {
  const { workflowId, runId } = owner()
  const before = await ownerOfJob(store.db, jobId)
  if (before === runId) return
  if (before !== null && (await workflows.current(jobId))?.runId !== runId) {
    throw fenced(`Run ${before} works on job ${jobId}.`)
  }
  const taken = await store.db.transaction(async (tx) => {
    const mine = await takeJob(tx, { jobId, workflowId, runId, before, restart: false })
    if (mine && before !== null && before !== continues) await restartRun(tx, jobId)
    return mine
  })
  if (!taken) throw new OwnerChangedError(`the owner of job ${jobId} has changed`)
}
