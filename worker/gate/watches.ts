import type { Logger } from 'pino'
import type { Cluster } from '../../kubernetes/cluster.ts'
import type { Pod } from '../../kubernetes/objects.ts'
import { type Watch, type WatchEvent, watchObjects } from '../../kubernetes/watch.ts'
import { podLabels } from '../../model/attempt.ts'
import { type Allowance, type AllowanceWatch, watchAllowance } from './allowance-watch.ts'

/** What a watch of a namespace tells: a pod of ours changed, a complete list of them was read, or what the namespace allows changed. */
export type NamespaceEvent = WatchEvent<Pod> | 'allowance'

/** A namespace of a cluster that is being watched, shared by every group and job that needs it. */
export interface NamespaceWatch {
  readonly pods: Watch<Pod>
  readonly allowance: Allowance
  /** Pods of ours that were made for a group. */
  podsOf(groupId: number): Iterable<Pod>
  /**
   * Calls back at every change of a pod of ours, of a quota, and after every complete list; returns how to stop that. With `podKey` (namespace/name) of
   * pods that one alone is told: there are as many who follow a pod as there are pods.
   */
  subscribe(callback: Subscriber, podKey?: string): () => void
}

type Subscriber = (event: NamespaceEvent) => void

interface Shared extends NamespaceWatch {
  users: number
  allowed: AllowanceWatch
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
      await stopAll(held)
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
    await Promise.all(all.map(stopAll))
  }

  #open(cluster: Cluster, namespace: string): Shared {
    const subscribers = new Subscribers()
    const byGroup = new Map<string, Map<string, Pod>>()
    const tell = (event: NamespaceEvent) => subscribers.tell(event)
    const interrupted = (what: string, error: unknown) =>
      this.#log.debug({ cluster: cluster.host, namespace, reason: String(error) }, `watch of ${what} interrupted`)
    const allowed = watchAllowance(cluster, namespace, {
      onChange: () => tell('allowance'),
      onError: interrupted,
    })
    const pods = watchObjects<Pod>(cluster, {
      resource: 'pods',
      namespace,
      labelSelector: `${podLabels.install}=${this.#installUuid}`,
      onEvent: (event) => {
        if (event.type !== 'synced') index(byGroup, event)
        if (event.type === 'deleted') this.#remember(`${cluster.connectionKey} ${namespace}`, event.object)
        tell(event)
      },
      onError: (error) => interrupted('pods', error),
    })
    return {
      users: 0,
      pods,
      allowed,
      get allowance() {
        return allowed.allowance
      },
      podsOf: (groupId) => byGroup.get(String(groupId))?.values() ?? [],
      subscribe: (callback, podKey) => subscribers.add(callback, podKey),
    }
  }
}

/** Who is told of a namespace: of everything, or of one pod. */
class Subscribers {
  readonly #ofAll = new Set<Subscriber>()
  readonly #ofPod = new Map<string, Set<Subscriber>>()

  /** Returns how to stop that. */
  add(callback: Subscriber, podKey?: string): () => void {
    if (podKey === undefined) {
      this.#ofAll.add(callback)
      return () => this.#ofAll.delete(callback)
    }
    const ofPod = this.#ofPod.get(podKey) ?? new Set()
    this.#ofPod.set(podKey, ofPod.add(callback))
    return () => {
      ofPod.delete(callback)
      if (ofPod.size === 0 && this.#ofPod.get(podKey) === ofPod) this.#ofPod.delete(podKey)
    }
  }

  tell(event: NamespaceEvent): void {
    for (const subscriber of [...this.#ofAll, ...this.#toldOfPods(event)]) subscriber(event)
  }

  #toldOfPods(event: NamespaceEvent): Iterable<Subscriber> {
    if (event === 'allowance') return []
    if (event.type === 'synced') return [...this.#ofPod.values()].flatMap((ofPod) => [...ofPod])
    const { namespace, name } = event.object.metadata
    return this.#ofPod.get(`${namespace}/${name}`) ?? []
  }
}

/** Keeps the pods of each group together, so that a change costs a group no more than its own pods. */
function index(byGroup: Map<string, Map<string, Pod>>, event: Exclude<WatchEvent<Pod>, { type: 'synced' }>): void {
  const { name, labels } = event.object.metadata
  const group = labels?.[podLabels.group]
  if (group === undefined) return
  const pods = byGroup.get(group) ?? new Map<string, Pod>()
  byGroup.set(group, pods)
  if (event.type === 'deleted') pods.delete(name)
  else pods.set(name, event.object)
  if (pods.size === 0) byGroup.delete(group)
}

async function stopAll({ pods, allowed }: Shared): Promise<void> {
  await Promise.all([pods.stop(), allowed.stop()])
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
    if (event === 'allowance') return
    if (event.type === 'synced') {
      if (!watch.pods.objects.has(key)) latest = 'gone'
    } else latest = event.type === 'deleted' ? 'gone' : event.object
    wake()
  }, key)
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
