import { Context } from '@temporalio/activity'
import { isFinal } from '../../model/job.ts'
import { cancelJob } from '../../store/cancel-job.ts'
import type { JobRow } from '../../store/job-status.ts'
import { advanceWorkflow } from '../../store/workflow/advance.ts'
import type { ActivityDeps } from '../deps.ts'
import { throwEnded } from '../end-job.ts'
import { owner } from '../failures.ts'
import { Heart } from '../heart.ts'
import type { JobActivities, Verdict, WorkflowStep } from '../types.ts'
import { ownRun } from './own-run.ts'

/** Jobs that one step makes and starts at most: first steps of others are not to starve behind a burst of starts. */
const mostAtOnce = 50

/** One step of a workflow job: what follows from the ends of its nodes' jobs is stored, and the jobs to start are told. */
export function createAdvanceActivity(deps: ActivityDeps): JobActivities['advance'] {
  return async (input) => {
    // So that a step whose worker died is noticed soon, however long a step may take.
    const heart = new Heart(Context.current())
    try {
      return await advanceOnce(deps, input)
    } finally {
      heart.end()
    }
  }
}

async function advanceOnce(
  deps: ActivityDeps,
  { jobId, continues, startedUpTo, cancel }: Parameters<JobActivities['advance']>[0],
): Promise<WorkflowStep> {
  const { db } = deps.store
  await ownRun(deps, jobId, continues)
  const { runId } = owner()
  const step = await db.transaction((tx) =>
    advanceWorkflow(tx, deps.keyring, { jobId, runId, startedUpTo, most: mostAtOnce, cancel }),
  )
  if (step.missing) return await throwEnded(deps, jobId)
  // Each on its own: a transaction that holds one job while it waits for another may meet their ends.
  for (const id of step.cancel) await db.transaction((tx) => cancelJob(tx, id))
  const { ended, blocked, starts, more, settled, nodes } = step
  return { ended: ended && verdictOf(ended), blocked, starts, more, settled, nodes }
}

function verdictOf({ status, cause, jobExplanation }: JobRow): Verdict {
  if (!isFinal(status)) throw new Error('the workflow job has not ended')
  return { status, cause, explanation: jobExplanation, released: true }
}
