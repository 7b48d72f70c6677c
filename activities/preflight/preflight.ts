import { Context } from '@temporalio/activity'
import type { Cluster } from '../../kubernetes/cluster.ts'
import { wrapperArgs } from '../../kubernetes/scripts.ts'
import { refusalText } from '../../model/capacity.ts'
import { effectiveManifest, type ReadyManifest } from '../../model/pod-template-manifest.ts'
import type { ManifestInput } from '../../model/pod-template-types.ts'
import { type CheckName, checkNames, type PreflightReport } from '../../model/preflight.ts'
import { globalEnvironment } from '../../store/execution-environment.ts'
import { endPreflight, type PreflightRow, readPreflight } from '../../store/preflights.ts'
import { takeTestPlace } from '../../store/test-place.ts'
import { readCredential } from '../../store/typed-credential.ts'
import type { ActivityDeps, GroupPlace } from '../deps.ts'
import { throwIfAsked } from '../failures.ts'
import { Heart } from '../heart.ts'
import { isMisconfigured } from '../misconfigured.ts'
import { providePullSecret } from '../pull-secret.ts'
import type { JobActivities } from '../types.ts'
import { Checklist } from './checklist.ts'
import { checkCluster } from './cluster-checks.ts'
import { failed, findingOf, passed, skipped, warning } from './findings.ts'
import { checkAdmission, checkRealPod, testArgs, testLabels, testPodName } from './pod-checks.ts'

/** A test's pod ends by itself after this time, whatever became of us. */
const podSeconds = 600
/** A test is given up after this time, so that it always comes to a report. */
const longestMs = 5 * 60_000

/** Checks of a credential alone: it has no pod. */
const credentialChecks: CheckName[] = ['configuration', 'reach', 'tls', 'identity', 'namespace', 'rights']

/** Tests a container group, or a credential alone, and stores the report. Made again after the death of a worker. */
export function createRunPreflightActivity(deps: ActivityDeps): JobActivities['runPreflight'] {
  return async ({ preflightId }) => {
    const row = await readPreflight(deps.store.db, preflightId)
    // Deleted with what it tests, or over already.
    if (!row || row.finished) return { ok: row?.ok ?? false }
    const heart = new Heart(Context.current())
    try {
      const report = await testWithin(deps, row, heart.asked)
      await endPreflight(deps.store.db, preflightId, report)
      return { ok: report.ok }
    } finally {
      heart.end()
    }
  }
}

async function testWithin(deps: ActivityDeps, row: PreflightRow, asked: AbortSignal): Promise<PreflightReport> {
  const signal = AbortSignal.any([asked, AbortSignal.timeout(longestMs)])
  const list = new Checklist()
  const names = row.instanceGroupId === null ? credentialChecks : [...checkNames]
  try {
    if (row.instanceGroupId !== null) await testGroup(deps, list, row, row.instanceGroupId, signal)
    else await testCredential(deps, list, row.credentialId ?? 0, signal)
  } catch (error) {
    // Whoever comes next begins anew.
    throwIfAsked()
    const next = list.report(names).checks.find(({ outcome }) => outcome === 'skipped')?.name ?? 'deletion'
    if (signal.aborted) {
      const remedy = 'Look at what the checks before it say about time; the cluster answers too slowly.'
      list.note(next, failed(`The test was given up after ${longestMs / 60_000} minutes.`, remedy))
    } else list.note(next, findingOf(error))
  }
  return list.report(names)
}

async function testGroup(
  deps: ActivityDeps,
  list: Checklist,
  row: PreflightRow,
  groupId: number,
  signal: AbortSignal,
): Promise<void> {
  const place = await list.check('configuration', async () => {
    const found = await openPlace(deps, groupId)
    return found instanceof Error
      ? failed(found.message, 'Change the instance group or its credential as it says.')
      : { ...passed(`Jobs run in namespace ${found.namespace} of ${found.cluster.host}.`), found }
  })
  if (!place) return
  const { cluster, namespace } = place
  const environment = await globalEnvironment(deps.store.db)
  const registryCredential = await readCredential(deps.store.db, environment?.credentialId ?? null)
  await checkCluster(list, { cluster, namespace, pullSecret: registryCredential !== null, signal })
  if (!list.sound) return
  const secret = await providePullSecret(deps, { registryCredential }, place, signal)
  const manifest = (args: string[]): ReadyManifest =>
    effectiveManifest({
      override: place.podSpecOverride,
      image: environment?.image ?? '',
      pull: (environment?.pull ?? '') as ManifestInput['pull'],
      defaultNamespace: deps.settings.defaultNamespace,
      name: testPodName(deps.settings.installUuid, row.id),
      labels: testLabels(deps.settings.installUuid, row.id, groupId),
      annotations: {},
      args,
      activeDeadlineSeconds: podSeconds,
      ...(secret ? { imagePullSecret: secret } : {}),
    })
  await checkAdmission(list, { cluster, manifest: manifest(wrapperArgs()), signal })
  // A quota that is used up refuses the real one as well.
  const hasRoom = list.report().checks.some(({ name, outcome }) => name === 'pod' && outcome === 'passed')
  if (!row.runPod || !list.sound || !hasRoom) return
  const refusal = await takeTestPlace(deps.store.db, { preflightId: row.id, groupId })
  if (refusal) noteFull(list, refusalText(refusal))
  else await checkRealPod(deps, list, { cluster, manifest: manifest(testArgs), signal })
}

/** A test's pod is a pod of the group like any other: where the group has no place, none is made. */
function noteFull(list: Checklist, why: string): void {
  list.note(
    'image',
    warning(
      `No pod was started, because the group has no place: ${why}.`,
      'Test again when a job of the group has ended.',
    ),
  )
  for (const name of ['exec', 'deletion'] as const) list.note(name, skipped('Left out because no pod was started.'))
}

/** Where the group's pods go, or what keeps them from going anywhere. */
async function openPlace(deps: ActivityDeps, groupId: number): Promise<GroupPlace | Error> {
  try {
    return await deps.clusters.forGroup(groupId)
  } catch (error) {
    if (isMisconfigured(error)) return error
    throw error
  }
}

async function testCredential(
  deps: ActivityDeps,
  list: Checklist,
  credentialId: number,
  signal: AbortSignal,
): Promise<void> {
  const cluster = await list.check<Cluster>('configuration', async () => {
    const found = await deps.clusters.forCredential(credentialId)
    return { ...passed(`The credential names ${found.host}.`), found }
  })
  if (!cluster) return
  const namespace = deps.settings.defaultNamespace
  await checkCluster(list, { cluster, namespace, pullSecret: false, signal })
}
