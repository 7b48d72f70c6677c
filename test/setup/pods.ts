/** The pods of a namespace, as a watch of the test's own tells them. */
import { type V1Pod, Watch } from '@kubernetes/client-node'
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

  static async open(stack: TestStack, namespace: string): Promise<PodRecord> {
    const record = new PodRecord()
    const list = await clusterAdmin(stack).listNamespacedPod({ namespace })
    for (const pod of list.items) record.#take('ADDED', pod)
    await record.#follow(new Watch(adminConfig(stack)), namespace, list.metadata?.resourceVersion)
    return record
  }

  /** The client ends a watch in which nothing happens for half a minute: then a further one begins where it ended. */
  async #follow(watch: Watch, namespace: string, from: string | undefined): Promise<void> {
    let resourceVersion = from
    this.#controller = await watch.watch(
      `/api/v1/namespaces/${namespace}/pods`,
      { resourceVersion },
      (type: string, pod: V1Pod) => {
        if (type === 'ERROR') this.#ended = pod
        else resourceVersion = pod.metadata?.resourceVersion
        this.#take(type, pod)
      },
      (error: unknown) => {
        if (this.#closed || this.#ended) return
        if (error && !(error instanceof Error && error.name === 'TimeoutError')) this.#ended = error
        else this.#follow(watch, namespace, resourceVersion).catch((failure) => (this.#ended = failure))
      },
    )
    if (this.#closed) this.#controller.abort()
  }

  /** Pods that use the node now. */
  get live(): V1Pod[] {
    return [...this.pods.values()].filter(isRunningOrToBe)
  }

  /** Every state that a job's pods were seen in. */
  statesOf(job: number): V1Pod[] {
    return this.states.filter((pod) => jobOf(pod) === job)
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
