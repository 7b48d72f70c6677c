import type { Cluster } from '../../kubernetes/cluster.ts'
import { ForbiddenError } from '../../kubernetes/errors.ts'
import type { KubernetesObject } from '../../kubernetes/objects.ts'
import { podLabels } from '../../model/attempt.ts'
import type { ReapedCluster, ReaperFinding } from '../../model/reaper-report.ts'
import { attemptsOfPods } from '../../store/attempts.ts'
import type { AttemptRow } from '../../store/claims.ts'
import { preflightsUnderWay } from '../../store/preflights.ts'
import type { ActivityDeps, Clusters } from '../deps.ts'
import { removePod } from '../play/remove-pod.ts'
import { perPodMs } from './abandoned-attempts.ts'
import { each, messageOf, type ReaperPass, secondsOverdue } from './pass.ts'

type KnownCluster = Awaited<ReturnType<Clusters['all']>>[number]

/** Pods of this installation that no live attempt owns: left by a crash, or by attempts and jobs whose rows were deleted. */
export async function deleteOrphans(deps: ActivityDeps, pass: ReaperPass): Promise<void> {
  await each(await deps.clusters.all(), async (known) => {
    const reaped: ReapedCluster = { name: known.name, host: known.cluster.host, pods: 0, error: '' }
    pass.clusters.push(reaped)
    try {
      await reapCluster(deps, known, reaped, pass)
    } catch (error) {
      reaped.error = messageOf(error)
      pass.counts.unreachable.push(`${known.name}: ${reaped.error}`)
    }
  })
}

async function reapCluster(
  deps: ActivityDeps,
  known: KnownCluster,
  reaped: ReapedCluster,
  pass: ReaperPass,
): Promise<void> {
  const { cluster } = known
  for await (const pods of pagesOfOurs(deps, known)) {
    reaped.pods += pods.length
    pass.counts.podsSeen += pods.length
    // Read after the pods were listed: whoever makes a pod is on record before it exists.
    const attempts = Map.groupBy(
      await attemptsOfPods(
        deps.store.db,
        pods.map(({ metadata }) => metadata.name),
      ),
      ({ podName }) => podName,
    )
    const tests = await preflightsUnderWay(deps.store.db)
    await each(pods, async (pod) => {
      const { name, uid, namespace = '', labels = {} } = pod.metadata
      const known = attempts.get(name) ?? []
      if (known.some((attempt) => owns(attempt, pod)) || tests.has(Number(labels[podLabels.preflight]))) return
      const finding = findingOf(pod, known, cluster, deps.settings.orphanGraceSeconds)
      await pass.seeTo(finding, async () => {
        await pass.turn(cluster.key)
        deps.log.info({ pod: `${namespace}/${name}`, cluster: cluster.host }, 'deleting a pod that nobody owns')
        const signal = AbortSignal.any([pass.asked, AbortSignal.timeout(perPodMs)])
        await removePod(deps, cluster, { namespace, name, uid }, signal)
        pass.counts.podsDeleted++
      })
    })
  }
}

/** Pods of this installation: of the whole cluster where that may be listed, else of the namespaces that its groups name. */
async function* pagesOfOurs(
  { settings }: ActivityDeps,
  { cluster, namespaces }: KnownCluster,
): AsyncGenerator<KubernetesObject[], void, undefined> {
  const ours = `${podLabels.install}=${settings.installUuid}`
  try {
    yield* cluster.podPages(null, ours)
  } catch (error) {
    if (!(error instanceof ForbiddenError)) throw error
    for (const namespace of namespaces) yield* cluster.podPages(namespace, ours)
  }
}

function owns({ releasedAt, podUid }: AttemptRow, { metadata }: KubernetesObject): boolean {
  return releasedAt === null && (podUid === null || podUid === metadata.uid)
}

function findingOf(
  { metadata }: KubernetesObject,
  attempts: AttemptRow[],
  { host }: Cluster,
  graceSeconds: number,
): ReaperFinding {
  const { name, namespace = '', labels = {}, creationTimestamp = '' } = metadata
  const { [podLabels.group]: group, [podLabels.job]: job } = labels
  const overdue = secondsOverdue(creationTimestamp, graceSeconds)
  // It has been nobody's only since its attempt gave its place back.
  const released = attempts.flatMap(({ releasedAt }) => releasedAt ?? []).at(-1)
  return {
    ...{ kind: 'pod', cluster: host, namespace, pod: name, reason: 'no_owner', message: '' },
    instance_group: idOf(group),
    job: idOf(job),
    outcome: overdue < 0 ? 'waits' : 'due',
    overdue: Math.max(0, Math.min(overdue, released ? secondsOverdue(released, 0) : overdue)),
  }
}

/** The id that a label holds; null where it holds none. */
function idOf(label: string | undefined): number | null {
  return label && /^\d+$/.test(label) ? Number(label) : null
}
