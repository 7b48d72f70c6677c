/** The pods of a namespace, as a watch of the test's own tells them. */
import { isDeepStrictEqual } from 'node:util'
import { type CoreV1Api, type V1Pod, type V1Status, Watch } from '@kubernetes/client-node'
import { until } from '../../dev/wait.ts'
import { podAnnotations } from '../../model/attempt.ts'
import { adminConfig, clusterAdmin } from './cluster-admin.ts'
import type { Mayfly } from './mayfly.ts'
import { ownKubernetesNamespace, type Undo } from './own-places.ts'
import type { TestStack } from './stack.ts'

/** Number of the job that a pod was made for. */
export function jobOf(pod: V1Pod): number {
  return Number(pod.metadata?.labels?.['ansible-awx-job-id'])
}

/** How many forks its job counts for. */
function forksOf(pod: V1Pod): number {
  return Number(pod.metadata?.annotations?.[podAnnotations.forks] ?? 0)
}

/** True while a pod uses the node: one that is being deleted does, one that has ended does not. */
function isRunningOrToBe(pod: V1Pod): boolean {
  return pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed'
}

/** How long one watch lasts, at most. */
const watchSeconds = 20

/** Follows the pods of one namespace from `open` to `close` and keeps every state that it was told of. */
export class PodRecord {
  /** Pods that exist, by name. */
  readonly pods = new Map<string, V1Pod>()
  /** Every state, oldest first; the last one of a pod is the one that it was deleted in. */
  readonly states: V1Pod[] = []
  /** The most pods that lived at one moment. */
  peak = 0
  /** The most forks that the pods that lived at one moment counted for. */
  peakForks = 0
  #ended: unknown
  #closed = false
  #controller: AbortController | undefined

  readonly #namespace: string
  readonly #core: CoreV1Api
  readonly #watch: Watch

  private constructor(stack: TestStack, namespace: string) {
    this.#namespace = namespace
    this.#core = clusterAdmin(stack)
    this.#watch = new Watch(adminConfig(stack))
  }

  static async open(stack: TestStack, namespace: string): Promise<PodRecord> {
    const record = new PodRecord(stack, namespace)
    const list = await record.#core.listNamespacedPod({ namespace })
    for (const pod of list.items) record.#take('ADDED', pod)
    await record.#follow(list.metadata?.resourceVersion)
    return record
  }

  /**
   * A watch ends after a while, and a further one begins where it ended. The client ends one in which nothing happens for half a minute; before that the server is to end it, which
   * first tells up to where nothing happened: what is never older than a watch, it does not forget.
   */
  async #follow(from: string | undefined): Promise<void> {
    let resourceVersion = from
    let expired: unknown
    this.#controller = await this.#watch.watch(
      `/api/v1/namespaces/${this.#namespace}/pods`,
      { resourceVersion, allowWatchBookmarks: true, timeoutSeconds: watchSeconds },
      (type: string, told: V1Pod & V1Status) => {
        if (type === 'ERROR' && told.code === 410) expired = told
        else if (type === 'ERROR') this.#ended = told
        else resourceVersion = told.metadata?.resourceVersion
        this.#take(type, told)
      },
      (error: unknown) => {
        if (this.#closed || this.#ended) return
        const idle = error instanceof Error && error.name === 'TimeoutError'
        if (error && !idle && !expired) this.#ended = error
        else
          this.#goOn(resourceVersion, expired).catch((failure) => {
            this.#ended = failure
          })
      },
    )
    if (this.#closed) this.#controller.abort()
  }

  /** Where much happens in other namespaces, the server forgets what it last told of this one: if all pods still are as they were told, nothing was missed. */
  async #goOn(resourceVersion: string | undefined, expired: unknown): Promise<void> {
    if (!expired) return await this.#follow(resourceVersion)
    const { items, metadata } = await this.#core.listNamespacedPod({ namespace: this.#namespace })
    const versions = (pods: Iterable<V1Pod>) => [...pods].map((pod) => pod.metadata?.resourceVersion).sort()
    if (!isDeepStrictEqual(versions(items), versions(this.pods.values()))) throw expired
    await this.#follow(metadata?.resourceVersion)
  }

  /** Pods that use the node now. */
  get live(): V1Pod[] {
    return [...this.pods.values()].filter(isRunningOrToBe)
  }

  /** Every state that a job's pods were seen in. */
  statesOf(job: number): V1Pod[] {
    return this.states.filter((pod) => jobOf(pod) === job)
  }

  /** As statesOf, once a pod was seen: the watch may tell of it after the API has told of the job's end. */
  async seenOf(job: number): Promise<V1Pod[]> {
    await this.until(`a pod of job ${job} to be seen`, () => this.statesOf(job).length > 0)
    return this.statesOf(job)
  }

  /** Whether a pod of the job exists. */
  has(job: number): boolean {
    return [...this.pods.values()].some((pod) => jobOf(pod) === job)
  }

  /** Resolves as soon as the condition holds. */
  async until(what: string, holds: () => boolean, seconds = 180): Promise<void> {
    const giveUp = () => {
      if (this.#ended && !this.#closed) throw new Error('the record of the pods broke off', { cause: this.#ended })
    }
    await until({ what, seconds, giveUp, everyMs: 20 }, holds)
  }

  close(): void {
    this.#closed = true
    this.#controller?.abort()
  }

  #take(type: string, pod: V1Pod): void {
    const name = pod.metadata?.name
    if (!name || (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED')) return
    this.states.push(pod)
    if (type === 'DELETED') this.pods.delete(name)
    else this.pods.set(name, pod)
    const { live } = this
    this.peak = Math.max(this.peak, live.length)
    const forks = live.reduce((sum, one) => sum + forksOf(one), 0)
    this.peakForks = Math.max(this.peakForks, forks)
  }
}

/** A namespace of a test's own with its record, so that what others do is not counted. */
export async function recordedNamespace(
  { id, stack }: Pick<Mayfly, 'id' | 'stack'>,
  name: string,
  undo: Undo,
): Promise<{ namespace: string; pods: PodRecord }> {
  const namespace = `${id}-${name}`
  await ownKubernetesNamespace(stack, namespace, undo)
  const pods = await PodRecord.open(stack, namespace)
  undo.add(async () => pods.close())
  return { namespace, pods }
}
