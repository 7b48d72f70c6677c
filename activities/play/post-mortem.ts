import type { Cluster } from '../../kubernetes/cluster.ts'
import { NotFoundError } from '../../kubernetes/errors.ts'
import type { Node, Pod } from '../../kubernetes/objects.ts'
import type { Cause } from '../../model/cause.ts'
import { podWithoutSecrets } from '../../model/pod-without-secrets.ts'
import { causeWithNode, type PostMortem, type PostMortemNode, postMortemOf } from '../../model/post-mortem.ts'
import { Redactor } from '../../runner/redact.ts'
import type { AttemptRow } from '../../store/claims.ts'
import { readLastLines } from '../../store/last-lines.ts'
import type { ActivityDeps } from '../deps.ts'

/** The verdict waits for a post-mortem, so a cluster that does not answer is not waited for. */
const patienceMs = 5_000
const keptLines = 40

/** Of an attempt: what is needed to look for its pod. */
export type ExaminedAttempt = Pick<
  AttemptRow,
  'jobId' | 'instanceGroupId' | 'credentialId' | 'clusterKey' | 'namespace' | 'podName' | 'podUid'
>

/** What whoever takes a post-mortem knows already. */
export interface Known {
  /** The pod as it was last seen on the way to this end. */
  seen?: Pod | null
  /** Values that must not appear in it. */
  secrets?: readonly string[]
}

/**
 * What can be found out about an attempt's end, before its pod is deleted; null where the platform had no part in it. Never throws and takes no longer than
 * five seconds: what was not found out is named in `missing`.
 */
export async function takePostMortem(
  deps: Pick<ActivityDeps, 'clusters' | 'gates' | 'store' | 'log'>,
  attempt: ExaminedAttempt,
  cause: Cause,
  known: Known = {},
): Promise<PostMortem | null> {
  const worth = postMortemOf(cause.kind)
  if (worth === 'none' || attempt.podName === '') return null
  const search = new Search(AbortSignal.timeout(patienceMs))
  const cluster = await search.find('cluster', () => deps.clusters.forAttempt(attempt))
  if (!cluster) search.missing.push('cluster: it can no longer be reached, its group or credential was changed')
  const [lastLines, found] = await Promise.all([
    search.find('last lines', () => readLastLines(deps.store.db, attempt.jobId, keptLines)),
    cluster ? examine(deps, search, cluster, attempt, known, worth === 'full') : nothing(known),
  ])
  const document: PostMortem = {
    taken: new Date().toISOString(),
    cause: causeWithNode(cause, found.node),
    cluster: cluster?.host ?? '',
    namespace: attempt.namespace,
    pod: attempt.podName,
    ...found,
    lastLines: lastLines ?? [],
    missing: search.missing,
  }
  return new Redactor(known.secrets ?? []).redactValue(document)
}

/** What a cluster tells of a pod. */
type Findings = Pick<PostMortem, 'source' | 'manifest' | 'status' | 'events' | 'node' | 'quotas'>

function nothing({ seen }: Known): Findings {
  return { ...picture(seen ?? null, seen ? 'watch' : 'none'), events: [], node: null, quotas: [] }
}

async function examine(
  { gates }: Pick<ActivityDeps, 'gates'>,
  search: Search,
  cluster: Cluster,
  attempt: ExaminedAttempt,
  { seen }: Known,
  ask: boolean,
): Promise<Findings> {
  const { namespace, podName, podUid } = attempt
  const { signal } = search
  const ours = (pod: Pod | null | undefined) => (pod && (!podUid || pod.metadata.uid === podUid) ? pod : null)
  const remembered = () => ours(seen) ?? ours(gates.lastSeen({ cluster, namespace }, podName))
  if (!ask) {
    const pod = remembered()
    return { ...picture(pod, pod ? 'watch' : 'none'), events: [], node: null, quotas: [] }
  }
  const podAndNode = async () => {
    const asked = await search.find('pod', () => cluster.getPod(namespace, podName, { signal }), 'it is gone')
    const current = ours(asked)
    const pod = current ?? remembered()
    const name = pod?.spec.nodeName
    const node = name
      ? await search.find(`node ${name}`, () => cluster.getNode(name, { signal }), 'it no longer exists')
      : null
    return { ...picture(pod, current ? 'cluster' : pod ? 'watch' : 'none'), node: node && nodeOf(node) }
  }
  const [about, events, quotas] = await Promise.all([
    podAndNode(),
    podUid ? search.find('events', () => cluster.eventsOf(namespace, podUid, { signal })) : null,
    search.find('quotas', () => cluster.getResourceQuotas(namespace, { signal })),
  ])
  return { ...about, events: (events ?? []).map(eventOf), quotas: (quotas ?? []).map(quotaOf) }
}

function picture(pod: Pod | null, source: PostMortem['source']): Pick<PostMortem, 'source' | 'manifest' | 'status'> {
  if (!pod) return { source: 'none', manifest: null, status: null }
  return { source, manifest: podWithoutSecrets({ ...pod }), status: { ...pod.status } }
}

function eventOf({ lastSeen, type, reason, message, count }: Awaited<ReturnType<Cluster['eventsOf']>>[number]) {
  return { time: lastSeen, type, reason, message, count }
}

/** As it stands in a post-mortem. */
export function quotaOf({ metadata, spec, status }: Awaited<ReturnType<Cluster['getResourceQuotas']>>[number]) {
  return { name: metadata.name, hard: status?.hard ?? spec?.hard ?? {}, used: status?.used ?? {} }
}

function nodeOf({ metadata, spec, status }: Node): PostMortemNode {
  return {
    name: metadata.name,
    conditions: (status?.conditions ?? []).map(({ type, status, reason, message, lastTransitionTime }) => ({
      ...{ type, status, reason: reason ?? '', message: message ?? '', since: lastTransitionTime ?? '' },
    })),
    taints: (spec?.taints ?? []).map(({ key, value, effect }) => `${key}${value ? `=${value}` : ''}:${effect}`),
  }
}

/** Questions of which each may fail alone. */
class Search {
  readonly signal: AbortSignal
  readonly missing: string[] = []
  readonly #timedOut: Promise<never>

  constructor(signal: AbortSignal) {
    this.signal = signal
    this.#timedOut = new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(new Error(`no answer within ${patienceMs / 1000} s`)), {
        once: true,
      }),
    )
    this.#timedOut.catch(() => {})
  }

  /** The answer; null where there is none, and then why is noted. `gone`: what it means that there is no such object. */
  async find<Answer>(what: string, ask: () => Promise<Answer>, gone?: string): Promise<Answer | null> {
    try {
      return await Promise.race([ask(), this.#timedOut])
    } catch (error) {
      this.missing.push(`${what}: ${gone && error instanceof NotFoundError ? gone : this.#reason(error)}`)
      return null
    }
  }

  #reason(error: unknown): string {
    if (this.signal.aborted) return `no answer within ${patienceMs / 1000} s`
    return error instanceof Error ? error.message : String(error)
  }
}
