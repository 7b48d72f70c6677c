import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from '../../kubernetes/cluster.ts'
import type { Node, Pod } from '../../kubernetes/objects.ts'
import { unschedulableMessage } from '../../kubernetes/pod-state.ts'
import type { SpooledPod } from '../../kubernetes/pod-talk.ts'
import { largerThanAnyNode, ruledOutEverywhere } from '../../kubernetes/scheduling.ts'
import { type Cause, cause } from '../../model/cause.ts'
import type { ActivityDeps } from '../deps.ts'
import { follow, type Interruption } from './interruption.ts'

/** How often a pod that no node takes is thought about again. */
const lookMs = 10_000

/** By these an autoscaler says that it makes a node for the pod: that may take minutes. */
const nodeIsComing: readonly string[] = ['TriggeredScaleUp', 'Nominated']

/**
 * Follows a pod until it has a node. One that has found none for a while and never can, because every node is ruled out for it or too small, is not
 * waited for as long as one that may find room; unless an autoscaler says that a node is coming.
 */
export function followScheduling(deps: ActivityDeps, cluster: Cluster, pod: SpooledPod): Interruption {
  return follow(deps, `the scheduling of pod ${pod.name}`, (over) => whyNever(deps, cluster, pod, over))
}

/** Resolves when the pod has a node (null), or when it is plain that it never gets one. */
async function whyNever(
  deps: ActivityDeps,
  cluster: Cluster,
  { namespace, name }: SpooledPod,
  signal: AbortSignal,
): Promise<Cause | null> {
  const patienceMs = deps.settings.noNodeSeconds * 1000
  let since: number | null = null
  let latest: Pod | null = null
  const states = deps.gates.followPod({ cluster, namespace }, name, signal)[Symbol.asyncIterator]()
  let next = states.next()
  for (;;) {
    const look: Promise<'look'>[] =
      latest === null ? [] : [sleep(Math.min(lookMs, patienceMs), 'look' as const, { signal })]
    const news: 'look' | IteratorResult<Pod | 'gone'> = await Promise.race([next, ...look])
    if (news !== 'look') {
      if (news.done || news.value === 'gone' || news.value.spec.nodeName) return null
      latest = unschedulableMessage(news.value) === null ? null : news.value
      since = latest === null ? null : (since ?? performance.now())
      next = states.next()
      continue
    }
    if (latest === null || since === null || performance.now() - since < patienceMs) continue
    const never = await judge(cluster, latest, signal)
    if (!never || (await isNodeComing(cluster, namespace, name, signal))) continue
    return never
  }
}

async function judge(cluster: Cluster, pod: Pod, signal: AbortSignal): Promise<Cause | null> {
  const message = unschedulableMessage(pod) ?? ''
  if (ruledOutEverywhere(message)) {
    return cause('pod_unschedulable', `No node ever takes the pod: ${message}`, message)
  }
  try {
    const { items } = await cluster.list<Node>({ resource: 'nodes', namespace: null }, { signal })
    const tooLarge = largerThanAnyNode(pod, items)
    return tooLarge ? cause('pod_unschedulable', `The pod can never fit on a node: ${tooLarge}.`, message) : null
  } catch {
    // Nodes may not be read, or not now: then it is waited for.
    return null
  }
}

async function isNodeComing(cluster: Cluster, namespace: string, name: string, signal: AbortSignal): Promise<boolean> {
  const events = await cluster.podEvents(namespace, name, { signal }).catch(() => [])
  return events.some(({ reason }) => nodeIsComing.includes(reason))
}
