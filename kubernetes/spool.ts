import type { Cluster } from './cluster.ts'

/** The pod of one attempt; `uid` tells it from a later pod of the same name. */
export interface SpooledPod {
  namespace: string
  name: string
  uid: string
}

/** The payload, readable again from its beginning because a delivery may have to be repeated. */
export type PayloadSource = Uint8Array | (() => AsyncIterable<Uint8Array>)

/**
 * Brings the payload into the pod, trying from the pod's creation on until its container runs. Idempotent: a pod whose play has been claimed
 * answers `already-started`. Throws PodEndedError when the pod is gone, replaced or terminal, PodNotStartingError when it cannot start.
 */
export async function deliverPayload(
  cluster: Cluster,
  pod: SpooledPod,
  payload: PayloadSource,
  size: number,
  signal: AbortSignal,
): Promise<'delivered' | 'already-started'> {
  throw new Error(`${cluster.host} ${pod.name} ${typeof payload} ${size} ${signal.aborted}`)
}

/**
 * The runner's output from a byte offset to its end, reconnecting as often as needed. Ends only when the runner has ended and every byte was
 * handed out. Throws PodEndedError when the pod is gone, replaced or terminal before that.
 */
export function readSpool(
  cluster: Cluster,
  pod: SpooledPod,
  fromOffset: number,
  signal: AbortSignal,
): AsyncIterable<Buffer> {
  throw new Error(`${cluster.host} ${pod.name} ${fromOffset} ${signal.aborted}`)
}

/** What the runner left besides its output. */
export interface RunnerEnd {
  /** Exit code of `ansible-runner worker`; 127: the image has none; 137: killed, mostly for memory. */
  exitCode: number
  /** Last 8 KiB of its stderr. */
  stderrTail: string
}

/**
 * Proves in the pod that exactly `expectedSize` bytes were written, then lets the wrapper end, in one exec. Repeatable. Throws
 * SpoolIncompleteError when the runner still runs or wrote more, PodEndedError when the pod is gone.
 */
export async function acknowledge(
  cluster: Cluster,
  pod: SpooledPod,
  expectedSize: number,
  signal: AbortSignal,
): Promise<RunnerEnd> {
  throw new Error(`${cluster.host} ${pod.name} ${expectedSize} ${signal.aborted}`)
}

/** Asks the runner to stop (TERM); it then writes `canceled` and its eof record. `not-started`: nothing was delivered and nothing will start. */
export async function signalRunner(
  cluster: Cluster,
  pod: SpooledPod,
  signal: AbortSignal,
): Promise<'signalled' | 'not-started' | 'ended'> {
  throw new Error(`${cluster.host} ${pod.name} ${signal.aborted}`)
}
