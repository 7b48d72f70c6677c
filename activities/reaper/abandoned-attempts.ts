import type { ReaperFinding } from '../../model/reaper-report.ts'
import { activeJobs } from '../../store/active-jobs.ts'
import { liveAttempts } from '../../store/attempts.ts'
import { type AttemptRow, withdraw } from '../../store/claims.ts'
import { FencedError } from '../../store/fence.ts'
import type { ActivityDeps, Owner } from '../deps.ts'
import { releaseAttemptAndPod } from '../release-pod.ts'
import { each, type ReaperPass, secondsOverdue } from './pass.ts'

/** One deletion may take this long before the pass goes on; the next one looks again. */
export const perPodMs = 20_000
/** A job that is let in has its pod within this time, nearly always: only older attempts are worth a question. */
const slowestAdmissionSeconds = 15
/** Whoever may be let in is, well before this: an attempt whose worker died goes on then, with the pod that it has. */
const promptlyMs = 5_000

/**
 * Places that nobody will give back: of jobs that have ended without it, and of jobs that stand in the queue, perhaps of this very place. Those
 * were let in before, by a worker that died, or by a run that a Reset ended. A run that is further on sees to its attempts by itself.
 * `abandoned`: jobs that this pass ends, or would end.
 */
export async function releaseAbandonedAttempts(
  deps: ActivityDeps,
  pass: ReaperPass,
  abandoned: ReadonlySet<number>,
): Promise<void> {
  const { store, workflows, settings } = deps
  const live = await liveAttempts(store.db)
  const owners = new Map(live.map((attempt) => [attempt.id, { jobId: attempt.jobId, runId: attempt.runId }]))
  const gone = new Map((await workflows.gone([...owners.values()])).map(({ owner, current }) => [owner, current]))
  const active = new Set((await activeJobs(store.db, 0)).map(({ jobId }) => jobId))
  await each(live, async (attempt) => {
    const { jobId, claimedAt, endedAt, heldUntil } = attempt
    const current = gone.get(owners.get(attempt.id) as Owner)
    if (current === null) {
      if (active.has(jobId) && !(pass.dryRun && abandoned.has(jobId))) return
      const overdue = secondsOverdue(endedAt ?? claimedAt, settings.orphanGraceSeconds)
      const waits = secondsOverdue(claimedAt, settings.orphanGraceSeconds) < 0
      await see('workflow_gone', waits ? 'waits' : 'due', overdue)
    } else if (typeof current?.inQueueMs === 'number' || (await wasLeftInQueue(deps, attempt, pass))) {
      await see('left_in_queue', 'due', secondsOverdue(claimedAt, slowestAdmissionSeconds))
    } else if (heldUntil !== null) {
      // Its workflow releases it when its time is over; one that does not, for whatever reason, keeps nobody waiting for the place.
      const overdue = secondsOverdue(heldUntil, settings.orphanGraceSeconds)
      if (overdue >= 0) await see('hold_over', 'due', overdue)
    }

    async function see(reason: ReaperFinding['reason'], outcome: 'due' | 'waits', overdue: number) {
      const cluster = await deps.clusters.forAttempt(attempt).catch(() => null)
      const { instanceGroupId, namespace, podName } = attempt
      const place = { cluster: cluster?.host ?? '', instance_group: instanceGroupId, namespace, pod: podName }
      const finding: ReaperFinding = {
        ...{ kind: 'attempt', ...place, job: jobId, reason, outcome },
        ...{ overdue: Math.max(0, overdue), message: '' },
      }
      await pass.seeTo(finding, () => release(deps, attempt, pass))
    }
  })
}

async function release(deps: ActivityDeps, attempt: AttemptRow, pass: ReaperPass): Promise<void> {
  try {
    await pass.turn(attempt.clusterKey)
    await releaseAttemptAndPod(deps, attempt, AbortSignal.any([pass.asked, AbortSignal.timeout(perPodMs)]))
    pass.counts.attemptsReleased++
  } catch (error) {
    // A run has taken it over since we looked: it is that one's.
    if (!(error instanceof FencedError)) throw error
  }
}

/** Whether the attempt's own run stands in the queue again; then marks the attempt, so that it is not gone on with. */
async function wasLeftInQueue(
  { store, workflows }: ActivityDeps,
  { id: attemptId, jobId, runId, phase, claimedAt, instanceGroupId }: AttemptRow,
  { dryRun }: ReaperPass,
): Promise<boolean> {
  if ((phase !== 'claimed' && phase !== 'created') || secondsOverdue(claimedAt, slowestAdmissionSeconds) < 0)
    return false
  const current = await workflows.current(jobId, instanceGroupId)
  if (current?.runId !== runId || (current.inQueueMs ?? 0) < promptlyMs) return false
  return dryRun || (await withdraw(store.db, { attemptId, runId }))
}
