import { cause, causeStatus } from '../model/cause.ts'
import { isFinal } from '../model/job.ts'
import { transitionJob } from '../store/job-status.ts'
import { readJob } from '../store/run-document.ts'
import type { ActivityDeps } from './deps.ts'
import { owner } from './failures.ts'
import { ownJob, ownLiveAttempts } from './own-job.ts'
import { examineLive, recordDead } from './play/record-dead.ts'
import type { JobActivities } from './types.ts'

/** Stores the end of a job that no other activity could: cancelled while it waited, or broken by an error of ours. */
export function createFinishJobActivity(deps: ActivityDeps): JobActivities['finishJob'] {
  return async ({ jobId, status, cause: kind, explanation }) => {
    const { runId } = owner()
    const stored = { status: status ?? causeStatus[kind], cause: kind, explanation, released: false }
    if (!(await readJob(deps.store.db, jobId))) return stored
    await ownJob(deps, jobId, { restart: false })
    const reason = cause(kind, explanation)
    const dead = await examineLive(deps, await ownLiveAttempts(deps, jobId), reason)
    const job = await deps.store.db.transaction(async (tx) => {
      await recordDead(tx, dead, reason)
      const changes = { cause: kind, ...(explanation ? { explanation } : {}) }
      return (await transitionJob(tx, jobId, stored.status, changes, runId)).job
    })
    if (!isFinal(job.status)) throw new Error(`job ${jobId} has not ended`)
    return { status: job.status, cause: job.cause, explanation: job.jobExplanation, released: false }
  }
}
