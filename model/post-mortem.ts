import { type Cause, type CauseKind, causeStatus } from './cause.ts'
import { instantText } from './instant-text.ts'

/** What is kept of a pod before it is deleted when its attempt ended otherwise than by a successful play. Holds no secret. */
export interface PostMortem {
  /** When it was taken, ISO. */
  taken: string
  /** Why the attempt ended, with the evidence. */
  cause: Cause
  /** Host and port of the API server. */
  cluster: string
  namespace: string
  pod: string
  /**
   * Where manifest and status come from: `cluster`, as the API server had them when this was taken; `watch`, as they were seen last; `refused`: a
   * pod that was asked for and never was; `none`: nobody saw the pod.
   */
  source: 'cluster' | 'watch' | 'refused' | 'none'
  /** The pod's manifest without secrets (model/pod-without-secrets.ts). */
  manifest: Record<string, unknown> | null
  status: Record<string, unknown> | null
  /** Events of the pod, oldest first. */
  events: { time: string; type: string; reason: string; message: string; count: number }[]
  /** The node it ran on; null when it never had one, or the node may not be read. */
  node: PostMortemNode | null
  /** The last lines that it printed, as stored. */
  lastLines: string[]
  /** Quotas of the namespace, as quantities. */
  quotas: { name: string; hard: Record<string, string>; used: Record<string, string> }[]
  /** What could not be found out, and why. */
  missing: string[]
}

/** A node as it stood. `since` is when a condition became what it is. */
export interface PostMortemNode {
  name: string
  conditions: { type: string; status: string; reason: string; message: string; since: string }[]
  /** As `key=value:effect`. */
  taints: string[]
}

/** Whether a cluster has stopped hearing from a node: its kubelet is dead, or cannot be reached. What runs there nobody knows. */
export function isLostNode(conditions: readonly { type: string; status: string }[]): boolean {
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'Unknown')
}

/** The cause, once the node is known: a pod that had to leave a node which nobody hears from was lost with it. */
export function causeWithNode(found: Cause, node: PostMortemNode | null): Cause {
  const ready = node?.conditions.find(({ type }) => type === 'Ready')
  if (found.kind !== 'pod_evicted' || !node || !ready || !isLostNode(node.conditions)) return found
  const message = `The pod's node was lost: nothing is heard of ${node.name} since ${instantText(ready.since)} (${ready.message || ready.reason}).`
  return { kind: 'node_lost', message, detail: found.detail }
}

/**
 * What the end of an attempt is worth. `full`: the cluster is asked. `seen`: only what is known without asking, because the command's own exit code says
 * nearly all. `none`: the play's own doing, or somebody's wish.
 */
export function postMortemOf(kind: CauseKind): 'full' | 'seen' | 'none' {
  if (causeStatus[kind] === 'error') return 'full'
  if (kind === 'play_did_not_start' || kind === 'timed_out' || kind === 'runner_shut_down') return 'full'
  return kind === 'command_failed' ? 'seen' : 'none'
}
