import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '../../kubernetes/cluster.ts'
import { ForbiddenError, isTransient, NotFoundError } from '../../kubernetes/errors.ts'
import type { Pod } from '../../kubernetes/objects.ts'
import { isLostNode } from '../../model/post-mortem.ts'
import type { ActivityDeps } from '../deps.ts'

/** How long a container may take to end by itself once its pod is being deleted. */
const graceSeconds = 5
/** When who deletes a pod looks after it; tests have shorter times. All in ms. */
export interface RemovalTiming {
  /** The watch tells at once; but it may be broken, or not allowed. */
  lookEveryMs: number
  /** A pod whose node lives is gone by then, nearly always: before, nobody is asked about the node. */
  overdueMs: number
}
const removalTiming: RemovalTiming = { lookEveryMs: 2_000, overdueMs: 8_000 }
/** As long a pod that was told to leave its node stays there before the node counts as lost where nodes may not be read. */
const unseenMs = 60_000

/** The pod to be removed. */
export interface RemovablePod {
  namespace: string
  name: string
  uid: string
  /** Nothing was ever started in it, so its node need not be asked first: that may be busy with pulling the image for minutes. */
  unused?: boolean
}

/**
 * Deletes a pod and resolves when the API server no longer has it, since until then it takes a place. Deletes only the pod with this uid:
 * one that a newer run made under the same name is left alone. Goes on through a restart of the API server until the signal aborts.
 */
export async function removePod(
  deps: Pick<ActivityDeps, 'gates'>,
  cluster: Cluster,
  pod: RemovablePod,
  signal: AbortSignal,
  timing = removalTiming,
): Promise<void> {
  const { uid } = pod
  const grace = pod.unused ? 0 : graceSeconds
  const answer = await persistently(signal, () =>
    cluster.deletePod(pod.namespace, pod.name, { graceSeconds: grace, uid, signal }),
  )
  if (answer === 'gone' || answer === null) return
  const found = new AbortController()
  const either = AbortSignal.any([signal, found.signal])
  try {
    const forcing = forceWhenLost(cluster, pod, either, timing).catch(() => {})
    await Promise.race([watchedGone(deps, cluster, pod, either), seenGone(cluster, pod, either, timing)])
    found.abort()
    await forcing
  } finally {
    found.abort()
  }
  signal.throwIfAborted()
}

/** Asks until the API server answers or the signal aborts; null when it has no such object. */
export async function persistently<Answer>(signal: AbortSignal, ask: () => Promise<Answer>): Promise<Answer | null> {
  for (let pause = 200; ; pause = Math.min(pause * 2, 5000)) {
    try {
      return await ask()
    } catch (error) {
      if (error instanceof NotFoundError) return null
      if (!isTransient(error)) throw error
      await sleep(pause, undefined, { signal })
    }
  }
}

/**
 * Deletes the pod by force when its node is lost: there nobody confirms its end, and it would keep its place until the node comes back. What still runs
 * there then is ended by the kubelet as soon as it hears of it.
 */
async function forceWhenLost(
  cluster: Cluster,
  { namespace, name, uid }: RemovablePod,
  signal: AbortSignal,
  { lookEveryMs, overdueMs }: RemovalTiming,
): Promise<void> {
  for (let waitMs = overdueMs; ; waitMs = lookEveryMs) {
    await sleep(waitMs, undefined, { signal })
    const pod = await cluster.getPod(namespace, name, { signal }).catch(() => null)
    if (pod?.metadata.uid !== uid || !(await isOnLostNode(cluster, pod, signal))) continue
    // What is refused or not heard of is tried again.
    await cluster.deletePod(namespace, name, { graceSeconds: 0, uid, signal }).catch(() => {})
  }
}

async function isOnLostNode(cluster: Cluster, { metadata, spec, status }: Pod, signal: AbortSignal): Promise<boolean> {
  if (!spec.nodeName) return false
  try {
    const node = await cluster.getNode(spec.nodeName, { signal })
    return isLostNode(node.status?.conditions ?? [])
  } catch (error) {
    if (error instanceof NotFoundError) return true
    if (!(error instanceof ForbiddenError)) return false
    const toldToLeave = status?.conditions?.some(
      ({ type, reason }) => type === 'DisruptionTarget' && reason === 'DeletionByTaintManager',
    )
    return toldToLeave === true && Date.now() - Date.parse(metadata.deletionTimestamp ?? '') > unseenMs
  }
}

/** Resolves when the watch says that the pod is gone, or the signal aborts. */
async function watchedGone(
  { gates }: Pick<ActivityDeps, 'gates'>,
  cluster: Cluster,
  { namespace, name, uid }: RemovablePod,
  signal: AbortSignal,
): Promise<void> {
  for await (const seen of gates.followPod({ cluster, namespace }, name, signal)) {
    if (seen === 'gone' || seen.metadata.uid !== uid) return
  }
}

/** Resolves when the API server no longer has the pod; rejects when the signal aborts. */
async function seenGone(
  cluster: Cluster,
  { namespace, name, uid }: RemovablePod,
  signal: AbortSignal,
  { lookEveryMs }: RemovalTiming,
): Promise<void> {
  for (;;) {
    await sleep(lookEveryMs, undefined, { signal })
    try {
      const seen = await cluster.getPod(namespace, name, { signal })
      if (seen.metadata.uid !== uid) return
    } catch (error) {
      if (error instanceof NotFoundError) return
      // Whatever else keeps us from looking, the watch may still tell.
    }
  }
}
