import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '../../kubernetes/cluster.ts'
import { NotFoundError } from '../../kubernetes/errors.ts'
import { causeOfTermination } from '../../kubernetes/pod-end.ts'
import { PodEndedError } from '../../kubernetes/pod-errors.ts'
import type { SpooledPod } from '../../kubernetes/pod-talk.ts'
import type { Cause } from '../../model/cause.ts'

/** A node stops the containers before it writes down why; after this time it is taken to have nothing to say. */
const patienceMs = 5_000
const lookEveryMs = 200

/**
 * Why somebody ends the pod, asked when its runner was told to stop and not by us. Null when the pod is left alone, so that only the runner
 * itself was told. To be asked before the pod is let go: one that is gone says nothing any more.
 */
export async function causeOfEnding(
  cluster: Pick<Cluster, 'getPod'>,
  { namespace, name, uid }: SpooledPod,
  signal: AbortSignal,
): Promise<Cause | null> {
  const end = performance.now() + patienceMs
  while (performance.now() < end) {
    try {
      const pod = await cluster.getPod(namespace, name, { signal })
      if (pod.metadata.uid !== uid) return new PodEndedError('replaced', name, null).toCause()
      const found = causeOfTermination(pod)
      if (found) return found
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof NotFoundError) return new PodEndedError('gone', name, null).toCause()
    }
    await sleep(lookEveryMs, undefined, { signal })
  }
  return null
}
