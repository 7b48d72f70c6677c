import { Context } from '@temporalio/activity'
import type { Cluster } from '../kubernetes/cluster.ts'
import { ForbiddenError } from '../kubernetes/errors.ts'
import type { Pod } from '../kubernetes/objects.ts'
import { podLabels } from '../model/attempt.ts'
import { cause } from '../model/cause.ts'
import { removeOrphans } from '../runner/inventory-update/local-folder.ts'
import { activeJobs } from '../store/active-jobs.ts'
import { attemptsOf, liveAttempts, recordEnded } from '../store/attempts.ts'
import { type AttemptRow, withdraw } from '../store/claims.ts'
import { MissingRowError } from '../store/errors.ts'
import { FencedError } from '../store/fence.ts'
import { forgetOldIdempotencyKeys } from '../store/idempotency-keys.ts'
import { transitionJob } from '../store/job-status.ts'
import { giveUpAbandoned } from '../store/notifications/deliveries.ts'
import { forgetOldDeliveries } from '../store/webhook-deliveries.ts'
import type { ActivityDeps, Owner } from './deps.ts'
import { throwIfAsked } from './failures.ts'
import { inventoryUpdatesFolder } from './inventory/gather.ts'
import { removePod } from './play/remove-pod.ts'
import { releaseAttemptAndPod } from './release-pod.ts'
import type { JobActivities, ReapReport } from './types.ts'

/** One deletion may take this long before the pass goes on; the next one looks again. */
const perPodMs = 20_000
/** A job that is let in has its pod within this time, nearly always: only older attempts are worth a question. */
const slowestAdmissionSeconds = 15
/** Deletions under way at once: a pod that does not go must not keep the others. */
const atOnce = 8

/** Ends what no workflow will end any more, deletes what no attempt owns any more, and says how much that was. */
export function createReapActivity(deps: ActivityDeps): JobActivities['reap'] {
  return async () => {
    const context = Context.current()
    const report: ReapReport = {
      ...{ podsSeen: 0, podsDeleted: 0, jobsEnded: 0, attemptsReleased: 0, keysForgotten: 0 },
      notificationsGivenUp: 0,
      unreachable: [],
    }
    const beat = setInterval(() => context.heartbeat(report), 5_000)
    const pass = { report, asked: context.cancellationSignal }
    try {
      await endAbandonedJobs(deps, pass)
      await releaseAbandonedAttempts(deps, pass)
      for (const { name, cluster, namespaces } of await deps.clusters.all()) {
        try {
          await deleteOrphans(deps, cluster, await podsOfOurs(deps, cluster, namespaces), pass)
        } catch (error) {
          report.unreachable.push(`${name}: ${messageOf(error)}`)
        }
      }
      report.notificationsGivenUp = await giveUpAbandoned(deps.store.db)
      report.keysForgotten = await forgetOldIdempotencyKeys(deps.store.db)
      await forgetOldDeliveries(deps.store.db)
      await removeOrphans(inventoryUpdatesFolder(deps.settings))
      throwIfAsked()
      return report
    } finally {
      clearInterval(beat)
    }
  }
}

interface Pass {
  report: ReapReport
  /** Aborts when this worker is to stop. */
  asked: AbortSignal
}

/** Jobs whose workflow was terminated: nobody else will ever give them a final status. */
async function endAbandonedJobs({ store, workflows, settings }: ActivityDeps, { report }: Pass): Promise<void> {
  const reason = cause('workflow_terminated', 'The workflow of this job was terminated in Temporal.')
  for (const { owner, current } of await workflows.gone(await activeJobs(store.db, settings.orphanGraceSeconds))) {
    // A Reset has made a new run, which ends the job.
    if (current) continue
    const { jobId, runId } = owner
    try {
      await store.db.transaction(async (tx) => {
        for (const attempt of await attemptsOf(tx, jobId)) {
          if (attempt.releasedAt || attempt.endedAt) continue
          await recordEnded(tx, { attemptId: attempt.id, runId: attempt.runId }, reason)
        }
        const changes = { cause: reason.kind, explanation: reason.message }
        const { applied } = await transitionJob(tx, jobId, 'error', changes, runId)
        if (applied) report.jobsEnded++
      })
    } catch (error) {
      // A run began since we looked: the job is its.
      if (!(error instanceof FencedError || error instanceof MissingRowError)) throw error
    }
  }
}

/**
 * Places that nobody will give back: of jobs that have ended without it, and of jobs that stand in the queue, perhaps of this very place. Those
 * were let in before, by a worker that died, or by a run that a Reset ended. A run that is further on sees to its attempts by itself.
 */
async function releaseAbandonedAttempts(deps: ActivityDeps, { report, asked }: Pass): Promise<void> {
  const live = await liveAttempts(deps.store.db)
  const owners = new Map(live.map((attempt) => [attempt.id, { jobId: attempt.jobId, runId: attempt.runId }]))
  const gone = new Map((await deps.workflows.gone([...owners.values()])).map(({ owner, current }) => [owner, current]))
  const active = new Set((await activeJobs(deps.store.db, 0)).map(({ jobId }) => jobId))
  await each(live, async (attempt) => {
    const current = gone.get(owners.get(attempt.id) as Owner)
    try {
      if (current === null) {
        if (active.has(attempt.jobId) || youngerThan(attempt.claimedAt, deps.settings.orphanGraceSeconds)) return
      } else if (!(current?.inQueue || (await wasLeftInQueue(deps, attempt)))) return
      await releaseAttemptAndPod(deps, attempt, AbortSignal.any([asked, AbortSignal.timeout(perPodMs)]))
      report.attemptsReleased++
    } catch (error) {
      if (error instanceof FencedError) return
      report.unreachable.push(`${attempt.namespace}/${attempt.podName}: ${messageOf(error)}`)
    }
  })
}

/** Whether the attempt's own run stands in the queue again; then marks the attempt, so that it is not gone on with. */
async function wasLeftInQueue({ store, workflows }: ActivityDeps, attempt: AttemptRow): Promise<boolean> {
  const { id: attemptId, jobId, runId, phase, claimedAt } = attempt
  if ((phase !== 'claimed' && phase !== 'created') || youngerThan(claimedAt, slowestAdmissionSeconds)) return false
  const current = await workflows.current(jobId)
  return current?.runId === runId && current.inQueue && (await withdraw(store.db, { attemptId, runId }))
}

/** Pods of this installation that no live attempt owns: left by a crash, or by attempts and jobs whose rows were deleted. */
async function deleteOrphans(
  deps: ActivityDeps,
  cluster: Cluster,
  pods: Pod[],
  { report, asked }: Pass,
): Promise<void> {
  report.podsSeen += pods.length
  // Read after the pods were listed: whoever makes a pod is on record before it exists.
  const owners = new Map((await liveAttempts(deps.store.db)).map((attempt) => [attempt.podName, attempt]))
  await each(pods, async (pod) => {
    const { name, namespace = '', uid, creationTimestamp = '' } = pod.metadata
    if (ownedBy(pod, owners.get(name)) || youngerThan(creationTimestamp, deps.settings.orphanGraceSeconds)) return
    deps.log.info({ pod: `${namespace}/${name}`, cluster: cluster.host }, 'deleting a pod that nobody owns')
    try {
      await removePod(deps, cluster, { namespace, name, uid }, AbortSignal.any([asked, AbortSignal.timeout(perPodMs)]))
      report.podsDeleted++
    } catch (error) {
      report.unreachable.push(`${namespace}/${name}: ${messageOf(error)}`)
    }
  })
}

/** Does something to all items, a few at a time. */
async function each<Item>(items: readonly Item[], act: (item: Item) => Promise<void>): Promise<void> {
  const rest = items.values()
  const line = async () => {
    for (const item of rest) await act(item)
  }
  await Promise.all(Array.from({ length: atOnce }, line))
}

/** Pods of this installation: of the whole cluster where that may be listed, else of the namespaces that its groups name. */
async function podsOfOurs(
  { settings }: ActivityDeps,
  cluster: Cluster,
  namespaces: ReadonlySet<string>,
): Promise<Pod[]> {
  const ours = `${podLabels.install}=${settings.installUuid}`
  try {
    return await cluster.listPods(null, ours)
  } catch (error) {
    if (!(error instanceof ForbiddenError)) throw error
    return (await Promise.all([...namespaces].map((namespace) => cluster.listPods(namespace, ours)))).flat()
  }
}

function ownedBy(pod: Pod, attempt: AttemptRow | undefined): boolean {
  return attempt !== undefined && (attempt.podUid === null || attempt.podUid === pod.metadata.uid)
}

function youngerThan(instant: string, seconds: number): boolean {
  return Date.now() - Date.parse(instant) < seconds * 1000
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
