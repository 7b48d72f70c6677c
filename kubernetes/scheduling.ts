import { type Amounts, podUsage } from '../model/pod-usage.ts'
import { formatQuantity, parseQuantity } from '../model/quantity.ts'
import type { Node, Pod } from './objects.ts'

/** Taints that come and go with a node's state; all others are put there by people. */
const passingTaint =
  /node\.kubernetes\.io\/|node\.cloudprovider\.kubernetes\.io\/|ToBeDeletedByClusterAutoscaler|DeletionCandidateOfClusterAutoscaler|karpenter\.sh\//

/**
 * Whether the scheduler's words (`0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match Pod's node affinity/selector.`) say that no end of
 * another pod makes any of today's nodes take this one: each is ruled out by a selector, an affinity or a taint. A node that lacks resources may have
 * them later.
 */
export function ruledOutEverywhere(message: string): boolean {
  const match = /^0\/(\d+) nodes are available: (.*)$/s.exec(message)
  if (!match) return false
  const [, nodes = '0', rest = ''] = match
  const reasons = rest.split(/\. (?:preemption:|no new claims)/, 1)[0] ?? ''
  let ruledOut = 0
  for (const [, count, reason = ''] of reasons.matchAll(/(\d+) ([^,]+)/g)) {
    const byPeople = /untolerated taint/.test(reason) && !passingTaint.test(reason)
    if (byPeople || /didn't match Pod's node affinity|didn't match node selector/.test(reason))
      ruledOut += Number(count)
  }
  return Number(nodes) > 0 && ruledOut >= Number(nodes)
}

/** What of a pod's requests is more than any node has at all, with the numbers; null where some node could take it when it is empty, or nothing is known. */
export function largerThanAnyNode(pod: Pod, nodes: readonly Node[]): string | null {
  const offers = nodes.flatMap(({ status }) => (status?.allocatable ? [status.allocatable] : []))
  if (offers.length === 0 || offers.length < nodes.length) return null
  const requests = wanted(pod)
  const offered = (offer: Record<string, string>, resource: string) => parseQuantity(offer[resource] ?? '0')
  const fits = (offer: Record<string, string>) =>
    Object.entries(requests).every(([resource, amount]) => amount <= offered(offer, resource))
  if (offers.some(fits)) return null
  const numbers = Object.entries(requests).flatMap(([resource, amount]) => {
    const most = Math.max(...offers.map((offer) => offered(offer, resource)))
    return amount > most
      ? [`${resource} ${formatQuantity(amount)}, and no node has more than ${formatQuantity(most)}`]
      : []
  })
  if (numbers.length > 0) return `it requests ${numbers.join('; ')}`
  const all = Object.entries(requests).map(([resource, amount]) => `${resource} ${formatQuantity(amount)}`)
  return `it requests ${all.join(' and ')}, and no node has all of that`
}

function wanted(pod: Pod): Amounts {
  const { requests } = podUsage({ spec: pod.spec })
  return Object.fromEntries(Object.entries(requests).filter(([, amount]) => amount > 0))
}
