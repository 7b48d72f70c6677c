import { Context } from '@temporalio/activity'
import type { Cluster } from '../kubernetes/cluster.ts'
import { ForbiddenError } from '../kubernetes/errors.ts'
import type { Pod } from '../kubernetes/objects.ts'
import { podLabels } from '../model/attempt.ts'
import { cause } from '../model/cause.ts'
import { activeJobIds } from '../store/active-jobs.ts'
import { attemptsOf, liveAttempts, recordEnded } from '../store/attempts.ts'
import type { AttemptRow } from '../store/claims.ts'
import { transitionJob } from '../store/job-status.ts'
import type { ActivityDeps } from './deps.ts'
import { removePod } from './play/remove-pod.ts'
import { releaseAttemptAndPod } from './release-pod.ts'
import type { JobActivities, ReapReport } from './types.ts'

/** One deletion may take this long before the pass goes on to the next. */
const perPodMs = 20_000

/** Ends what no workflow will end any more, deletes what no attempt owns any more, and says how much that was. */
export function createReapActivity(deps: ActivityDeps): JobActivities['reap'] {
  return async () => {
    const report: ReapReport = { podsSeen: 0, podsDeleted: 0, jobsEnded: 0, attemptsReleased: 0, unreachable: [] }
    const beat = setInterval(() => Context.current().heartbeat(report), 5_000)
    try {
      await endAbandonedJobs(deps, report)
      await releaseAbandonedAttempts(deps, report)
      for (const { name, cluster, namespaces } of await deps.clusters.all()) {
        try {
          await deleteOrphans(deps, cluster, await podsOfOurs(deps, cluster, namespaces), report)
        } catch (error) {
          report.unreachable.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
        }
      }
      return report
    } finally {
      clearInterval(beat)
    }
  }
}

/** Jobs whose workflow was terminated: nobody else will ever give them a final status. */
async function endAbandonedJobs({ store, workflows, settings }: ActivityDeps, report: ReapReport): Promise<void> {
  for (const jobId of await workflows.notRunning(await activeJobIds(store.db, settings.orphanGraceSeconds))) {
    const reason = cause('workflow_terminated', 'The workflow of this job was terminated in Temporal.')
    const { applied } = await store.db.transaction(async (tx) => {
      for (const { id, runId, releasedAt } of await attemptsOf(tx, jobId)) {
        if (releasedAt === null) await recordEnded(tx, { attemptId: id, runId }, reason)
      }
      return await transitionJob(tx, jobId, 'error', { cause: reason.kind, explanation: reason.message })
    })
    if (applied) report.jobsEnded++
  }
}

/** Places held by jobs without a workflow. */
async function releaseAbandonedAttempts(deps: ActivityDeps, report: ReapReport): Promise<void> {
  const live = await liveAttempts(deps.store.db)
  const abandoned = new Set(await deps.workflows.notRunning([...new Set(live.map((attempt) => attempt.jobId))]))
  for (const attempt of live) {
    if (!abandoned.has(attempt.jobId) || youngerThan(deps, attempt.claimedAt)) continue
    try {
      await releaseAttemptAndPod(deps, attempt, AbortSignal.timeout(perPodMs))
      report.attemptsReleased++
    } catch (error) {
      report.unreachable.push(
        `${attempt.namespace}/${attempt.podName}: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }
}

/** Pods of this installation that no live attempt owns: left by a crash, or by attempts and jobs whose rows were deleted. */
async function deleteOrphans(deps: ActivityDeps, cluster: Cluster, pods: Pod[], report: ReapReport): Promise<void> {
  report.podsSeen += pods.length
  const owners = new Map((await liveAttempts(deps.store.db)).map((attempt) => [attempt.podName, attempt]))
  for (const pod of pods) {
    const { name, namespace = '', uid, creationTimestamp = '' } = pod.metadata
    if (ownedBy(pod, owners.get(name)) || youngerThan(deps, creationTimestamp)) continue
    deps.log.info({ pod: `${namespace}/${name}`, cluster: cluster.host }, 'deleting a pod that nobody owns')
    await removePod(deps, cluster, { namespace, name, uid }, AbortSignal.timeout(perPodMs))
    report.podsDeleted++
  }
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

function youngerThan({ settings }: ActivityDeps, instant: string): boolean {
  return Date.now() - Date.parse(instant) < settings.orphanGraceSeconds * 1000
}
