import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '../../kubernetes/cluster.ts'
import { isTransient, NotFoundError } from '../../kubernetes/errors.ts'
import type { SpooledPod } from '../../kubernetes/spool.ts'
import type { ActivityDeps } from '../deps.ts'

/** How long a container may take to end by itself once its pod is being deleted. */
const graceSeconds = 5

/**
 * Deletes a pod and resolves when the API server no longer has it, since until then it takes a place. Deletes only the pod with this uid:
 * one that a newer run made under the same name is left alone. Goes on through a restart of the API server until the signal aborts.
 */
export async function removePod(
  deps: Pick<ActivityDeps, 'gates'>,
  cluster: Cluster,
  pod: Omit<SpooledPod, 'uid'> & { uid?: string | null },
  signal: AbortSignal,
): Promise<void> {
  const gone = new AbortController()
  const either = AbortSignal.any([signal, gone.signal])
  try {
    for (let pause = 200; ; pause = Math.min(pause * 2, 5000)) {
      try {
        const answer = await cluster.deletePod(pod.namespace, pod.name, {
          graceSeconds,
          signal,
          ...(pod.uid ? { uid: pod.uid } : {}),
        })
        if (answer === 'gone') return
        break
      } catch (error) {
        if (error instanceof NotFoundError) return
        if (!isTransient(error)) throw error
        await sleep(pause, undefined, { signal })
      }
    }
    for await (const seen of deps.gates.followPod({ cluster, namespace: pod.namespace }, pod.name, either)) {
      if (seen === 'gone' || (pod.uid && seen.metadata.uid !== pod.uid)) return
    }
    signal.throwIfAborted()
  } finally {
    gone.abort()
  }
}
