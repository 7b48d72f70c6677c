import type { Cause } from '../model/cause.ts'
import { podWithoutSecrets } from '../model/pod-without-secrets.ts'
import type { PostMortem } from '../model/post-mortem.ts'
import { Redactor } from '../runner/redact.ts'
import type { AttemptRow } from '../store/claims.ts'
import { storePostMortem } from '../store/post-mortems.ts'
import type { RunDocument } from '../store/run-document.ts'
import type { ActivityDeps, GroupPlace } from './deps.ts'
import { quotaOf } from './play/post-mortem.ts'
import { attemptManifest } from './pod-manifest.ts'

/** A cluster that refuses a pod answers; for one that does not the job has waited long enough. */
const patienceMs = 3_000

/** The pod that was asked for. */
export interface Asked {
  document: RunDocument
  place: GroupPlace
  attempt: AttemptRow
}

/** Refusals of the pod itself: what it asks for and what the namespace allows explain them. The others are about the way to the cluster. */
const aboutThePod = new Set<Cause['kind']>(['pod_rejected', 'quota_never_fits', 'forbidden'])

/** Keeps which pod was refused, before the job ends by that. Best effort: what it cannot find out it names. */
export async function keepRefusal(
  deps: ActivityDeps,
  { document, place, attempt }: Asked,
  found: Cause,
): Promise<void> {
  const { cluster, namespace } = place
  const missing: string[] = []
  let quotas: PostMortem['quotas'] = []
  if (aboutThePod.has(found.kind)) {
    try {
      quotas = (await cluster.getResourceQuotas(namespace, { timeoutMs: patienceMs })).map(quotaOf)
    } catch (error) {
      missing.push(`quotas: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const manifest = attemptManifest(document, place, attempt, deps.settings, undefined)
  const postMortem: PostMortem = {
    taken: new Date().toISOString(),
    cause: found,
    cluster: cluster.host,
    namespace,
    pod: manifest.metadata?.name ?? '',
    source: 'refused',
    manifest: podWithoutSecrets(manifest),
    status: null,
    events: [],
    node: null,
    lastLines: [],
    quotas,
    missing,
  }
  await storePostMortem(
    deps.store.db,
    { jobId: attempt.jobId, attempt: attempt.number },
    new Redactor([]).redactValue(postMortem),
  )
}
