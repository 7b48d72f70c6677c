import type { Cluster } from '../../kubernetes/cluster.ts'
import type { KubernetesObject, LimitRange, ResourceQuota } from '../../kubernetes/objects.ts'
import { type Watch, watchObjects } from '../../kubernetes/watch.ts'

/** What a namespace allows; null where it is not known, because the right to read it is missing or the watch is interrupted. */
export interface Allowance {
  quotas: readonly ResourceQuota[] | null
  /** Read only where there is a quota: without one nothing is reckoned with them. */
  limitRanges: readonly LimitRange[] | null
}

/** A running watch of what a namespace allows. */
export interface AllowanceWatch {
  readonly allowance: Allowance
  stop(): Promise<void>
}

/** Who is told. */
export interface AllowanceListener {
  /** Something of it changed, or is no longer known. */
  onChange(): void
  onError(what: 'resourcequotas' | 'limitranges', error: unknown): void
}

/**
 * Watches the quotas of a namespace, and its limit ranges as long as it has a quota: most namespaces have none, and every watch is a connection. Where
 * the right to read these is missing the watch only fails quietly; then a refusal tells what they would have told.
 */
export function watchAllowance(cluster: Cluster, namespace: string, listener: AllowanceListener): AllowanceWatch {
  let limitRanges: Known<LimitRange> | undefined
  /** Of watches that were ended, until nothing of them is left. */
  const ending = new Set<Promise<void>>()

  const endLimitRanges = () => {
    if (!limitRanges) return
    const end = limitRanges.watch.stop()
    limitRanges = undefined
    ending.add(end)
    void end.then(() => ending.delete(end))
  }
  const quotas = watchKnown<ResourceQuota>(cluster, namespace, 'resourcequotas', {
    ...listener,
    onChange() {
      const known = quotas.objects()
      if (known?.length === 0) endLimitRanges()
      else if (known) limitRanges ??= watchKnown<LimitRange>(cluster, namespace, 'limitranges', listener)
      listener.onChange()
    },
  })
  return {
    get allowance() {
      return { quotas: quotas.objects(), limitRanges: limitRanges?.objects() ?? null }
    },
    async stop() {
      await quotas.watch.stop()
      endLimitRanges()
      await Promise.all(ending)
    },
  }
}

interface Known<T extends KubernetesObject> {
  watch: Watch<T>
  objects(): readonly T[] | null
}

/** A watch whose objects are known from a complete list on, until it is interrupted: what it showed last may then no longer be so, and nobody would tell. */
function watchKnown<T extends KubernetesObject>(
  cluster: Cluster,
  namespace: string,
  resource: 'resourcequotas' | 'limitranges',
  { onChange, onError }: AllowanceListener,
): Known<T> {
  let known = false
  const watch: Watch<T> = watchObjects<T>(cluster, {
    resource,
    namespace,
    onEvent: (event) => {
      known ||= event.type === 'synced'
      if (known) onChange()
    },
    onError: (error) => {
      onError(resource, error)
      if (!known) return
      known = false
      onChange()
    },
  })
  return { watch, objects: () => (known ? [...watch.objects.values()] : null) }
}
