import type { Logger } from 'pino'
import type { Cluster } from '../../kubernetes/cluster.ts'
import type { KubernetesObject, Pod, ResourceQuota } from '../../kubernetes/objects.ts'
import { type Watch, type WatchEvent, watchObjects } from '../../kubernetes/watch.ts'
import { podLabels } from '../../model/attempt.ts'

/** A namespace of a cluster that is being watched, shared by every group and job that needs it. */
export interface NamespaceWatch {
  readonly pods: Watch<Pod>
  /** Calls back at every change of a pod of ours, of a quota, and after every complete list; returns how to stop that. */
  subscribe(callback: (event: WatchEvent<Pod> | 'quota') => void): () => void
}

interface Shared extends NamespaceWatch {
  users: number
  quotas: Watch<ResourceQuota>
}

/** So many pods that are gone are remembered: for seconds on a busy worker, which is how long it takes to ask what became of one. */
const goneKept = 256

/** One watch per cluster and namespace, kept while somebody uses it. */
export class Watches {
  readonly #installUuid: string
  readonly #log: Logger
  readonly #shared = new Map<string, Shared>()
  /** Pods that were deleted last, as they last were, oldest first. */
  readonly #gone = new Map<string, Pod>()

  constructor(installUuid: string, log: Logger) {
    this.#installUuid = installUuid
    this.#log = log
  }

  /** Shares the watch of a namespace; `release` gives it back, and the last one stops it. */
  acquire(cluster: Cluster, namespace: string): { watch: NamespaceWatch; release: () => Promise<void> } {
    const key = `${cluster.connectionKey} ${namespace}`
    let shared = this.#shared.get(key)
    if (!shared) {
      shared = this.#open(cluster, namespace)
      this.#shared.set(key, shared)
    }
    const held = shared
    held.users++
    let given = false
    const release = async () => {
      if (given) return
      given = true
      held.users--
      if (held.users > 0) return
      this.#shared.delete(key)
      await Promise.all([held.pods.stop(), held.quotas.stop()])
    }
    return { watch: held, release }
  }

  /** A pod as it was seen last; also one that is gone, for a while. */
  lastSeen(cluster: Cluster, namespace: string, podName: string): Pod | undefined {
    const key = `${cluster.connectionKey} ${namespace}`
    const pods = this.#shared.get(key)?.pods.objects
    return pods?.get(`${namespace}/${podName}`) ?? this.#gone.get(`${key}/${podName}`)
  }

  #remember(key: string, pod: Pod): void {
    this.#gone.set(`${key}/${pod.metadata.name}`, pod)
    const [oldest] = this.#gone.keys()
    if (oldest !== undefined && this.#gone.size > goneKept) this.#gone.delete(oldest)
  }

  /** Stops every watch, whoever still holds it. */
  async stop(): Promise<void> {
    const all = [...this.#shared.values()]
    this.#shared.clear()
    await Promise.all(all.flatMap((shared) => [shared.pods.stop(), shared.quotas.stop()]))
  }

  #open(cluster: Cluster, namespace: string): Shared {
    const subscribers = new Set<(event: WatchEvent<Pod> | 'quota') => void>()
    const tell = (event: WatchEvent<Pod> | 'quota') => {
      if (event !== 'quota' && event.type === 'deleted')
        this.#remember(`${cluster.connectionKey} ${namespace}`, event.object)
      for (const subscriber of [...subscribers]) subscriber(event)
    }
    const onError = (what: string) => (error: unknown) =>
      this.#log.debug({ cluster: cluster.host, namespace, reason: String(error) }, `watch of ${what} interrupted`)
    const watch = <T extends KubernetesObject>(
      resource: 'pods' | 'resourcequotas',
      onEvent: (event: WatchEvent<T>) => void,
      labelSelector?: string,
    ) =>
      watchObjects<T>(cluster, {
        resource,
        namespace,
        onEvent,
        onError: onError(resource),
        ...(labelSelector ? { labelSelector } : {}),
      })
    return {
      users: 0,
      pods: watch<Pod>('pods', tell, `${podLabels.install}=${this.#installUuid}`),
      // Where the right to read quotas is missing this watch only fails quietly; the brake's own probe then reopens it.
      quotas: watch<ResourceQuota>('resourcequotas', () => tell('quota')),
      subscribe: (callback) => {
        subscribers.add(callback)
        return () => subscribers.delete(callback)
      },
    }
  }
}

/**
 * A pod as the watch shows it, then every change, until it is gone or the signal aborts. `gone` is told only after the pod was seen or a
 * complete list did not have it.
 */
export async function* followPod(
  watch: NamespaceWatch,
  key: string,
  signal: AbortSignal,
): AsyncGenerator<Pod | 'gone'> {
  let latest = watch.pods.objects.get(key) as Pod | 'gone' | undefined
  let wake: () => void = () => {}
  const unsubscribe = watch.subscribe((event) => {
    if (event === 'quota') return
    if (event.type === 'synced') {
      if (!watch.pods.objects.has(key)) latest = 'gone'
    } else {
      const { metadata } = event.object
      if (`${metadata.namespace}/${metadata.name}` !== key) return
      latest = event.type === 'deleted' ? 'gone' : event.object
    }
    wake()
  })
  const onAbort = () => wake()
  signal.addEventListener('abort', onAbort)
  try {
    while (!signal.aborted) {
      if (latest !== undefined) {
        const now = latest
        latest = undefined
        yield now
        if (now === 'gone') return
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    unsubscribe()
    signal.removeEventListener('abort', onAbort)
  }
}
