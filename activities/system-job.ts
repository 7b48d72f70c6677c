import { Context } from '@temporalio/activity'
import { cause } from '../model/cause.ts'
import { isFinal } from '../model/job.ts'
import { readSystemJobOptions, type SystemJobOptions } from '../model/system-job.ts'
import { lineEvent } from '../runner/inventory-update/lines.ts'
import { deleteExpiredSessions, deleteExpiredTokens } from '../store/cleanup/expired.ts'
import { deleteOldJobs } from '../store/cleanup/jobs.ts'
import { deleteOldNotifications } from '../store/cleanup/notifications.ts'
import { transitionJob } from '../store/job-status.ts'
import { appendLines } from '../store/line-events.ts'
import { readJob } from '../store/run-document.ts'
import { olderSystemJob, storeResultStdout } from '../store/system-jobs.ts'
import { beginOnControlPlane } from './begin-on-control-plane.ts'
import type { ActivityDeps } from './deps.ts'
import { endJob, throwEnded } from './end-job.ts'
import { owner, throwIfAsked } from './failures.ts'
import { Heart } from './heart.ts'
import { ownJob } from './own-job.ts'
import type { JobActivities } from './types.ts'
import { waitInLine } from './update-turn.ts'

const dayMs = 86_400_000

/** Cleans the house on the control plane, one system job at a time. What an interrupted try removed is gone, and the next one goes on from there. */
export function createRunSystemJobActivity(deps: ActivityDeps): JobActivities['runSystemJob'] {
  return async ({ jobId }) => {
    const heart = new Heart(Context.current())
    const { db } = deps.store
    try {
      await ownJob(deps, jobId, { restart: true })
      const job = await readJob(db, jobId)
      if (!job || isFinal(job.status)) return await throwEnded(deps, jobId)
      if (job.cancelFlag) return await endJob(deps, jobId, cause('canceled', ''))
      const read = readSystemJobOptions(job.extraVars)
      if (!read.ok) return await endJob(deps, jobId, cause('prestart_check_failed', read.error))
      await waitInLine(deps, job, heart, () => olderSystemJob(db, jobId))
      await beginOnControlPlane(deps, jobId)
      const signal = heart.asked
      const lines = await clean(deps, job.jobType, { ...read.options, signal })
      throwIfAsked()
      await db.transaction(async (tx) => {
        const eventsEmitted = await appendLines(tx, jobId, lines, lineEvent)
        await storeResultStdout(tx, jobId, lines.map((line) => `${line}\n`).join(''))
        const jobArgs = JSON.stringify(['mayfly', job.jobType])
        await transitionJob(tx, jobId, 'successful', { eventsEmitted, jobArgs }, owner().runId)
      })
      return { status: 'successful', cause: null, explanation: '', released: true }
    } catch (error) {
      if (heart.stop.aborted) throwIfAsked()
      if (heart.cancel.aborted) return await endJob(deps, jobId, cause('canceled', ''))
      throw error
    } finally {
      heart.end()
    }
  }
}

/** Does the work and tells it in lines. */
async function clean(
  { store: { db } }: ActivityDeps,
  jobType: string,
  { days, dryRun, signal }: SystemJobOptions & { signal: AbortSignal },
): Promise<string[]> {
  const done = dryRun ? 'that would be deleted' : 'deleted'
  switch (jobType) {
    case 'cleanup_jobs': {
      const before = new Date(Date.now() - days * dayMs).toISOString()
      const cleaned = await deleteOldJobs(db, before, { dryRun, signal })
      const told = await deleteOldNotifications(db, before, { dryRun, signal })
      return [
        `Jobs older than ${days} days (before ${before}):`,
        ...[...cleaned, { type: 'notification', ...told }].map(
          ({ type, deleted, skipped }) => `${type}: ${deleted} ${done}, ${skipped} skipped.`,
        ),
      ]
    }
    case 'cleanup_tokens': {
      const { access, refresh } = await deleteExpiredTokens(db, dryRun)
      return [`Expired OAuth 2 Access Tokens ${done}: ${access}`, `Expired OAuth 2 Refresh Tokens ${done}: ${refresh}`]
    }
    case 'cleanup_sessions':
      return [`Expired Sessions ${done}: ${await deleteExpiredSessions(db, dryRun)}`]
    case 'cleanup_activitystream':
      return ['There is no activity stream here, so there is nothing to remove.']
    default:
      throw new Error(`there is no system job of the type ${jobType}`)
  }
}
