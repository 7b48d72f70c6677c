import type { PodUsage } from './pod-usage.ts'
import { formatQuantity, parseQuantity } from './quantity.ts'

/** A ResourceQuota as the API server shows it; quantities by resource. */
export interface Quota {
  name: string
  scopes: readonly ScopeSelector[]
  hard: Record<string, string>
  used: Record<string, string>
}

/** Which pods a quota counts; `scopes: [Terminating]` is the operator Exists without values. */
export interface ScopeSelector {
  scopeName: string
  operator: string
  values?: readonly string[]
}

/** What of a pod decides which quotas count it. */
export interface CountedPod {
  usage: PodUsage
  /** It has activeDeadlineSeconds. */
  hasDeadline: boolean
  priorityClass: string
}

/** For how many pods more there is room. */
export interface QuotaRoom {
  /** Infinity where no quota says anything. */
  fits: number
  /** Why there is none for even one: the quota by name, and the numbers; null while there is some. */
  reason: string | null
}

/** Rounding of sums such as 0.1 + 0.2 must not make a difference. */
const epsilon = 1e-9

/**
 * For how many pods like this one the quotas of a namespace have room. What is larger than a quota itself, and what the API server would refuse
 * for another reason, is not judged here: such a pod is tried, and told with the server's own words that it never fits.
 */
export function quotaRoom(quotas: readonly Quota[], pod: CountedPod): QuotaRoom {
  const counted = countedAmounts(pod.usage)
  let fits = Number.POSITIVE_INFINITY
  let reason: string | null = null
  for (const { name, scopes, hard, used } of quotas) {
    if (!scopes.every((scope) => isInScope(scope, pod))) continue
    const lacking: string[] = []
    let fewest = Number.POSITIVE_INFINITY
    for (const [resource, hardText] of Object.entries(hard)) {
      const wanted = counted.get(resource) ?? 0
      const limit = parseQuantity(hardText)
      const usedText = used[resource] ?? '0'
      if (wanted <= 0 || Number.isNaN(limit)) continue
      if (wanted > limit) {
        fewest = Number.POSITIVE_INFINITY
        lacking.length = 0
        break
      }
      const count = Math.max(0, Math.floor((limit - parseQuantity(usedText)) / wanted + epsilon))
      fewest = Math.min(fewest, count)
      if (count < 1) lacking.push(`${resource} ${usedText} of ${hardText} in use, ${formatQuantity(wanted)} requested`)
    }
    fits = Math.min(fits, fewest)
    if (lacking.length > 0) reason ??= `Quota ${name} is used up: ${lacking.join('; ')}.`
  }
  return { fits, reason }
}

/** A pod in the words of a quota: `pods`, `count/pods`, `cpu` and `requests.cpu`, `limits.memory`, `requests.example.com/gpu`. */
function countedAmounts({ requests, limits }: PodUsage): Map<string, number> {
  const counted = new Map([
    ['pods', 1],
    ['count/pods', 1],
  ])
  for (const [resource, amount] of Object.entries(requests)) {
    counted.set(`requests.${resource}`, amount)
    if (!resource.includes('/')) counted.set(resource, amount)
  }
  for (const [resource, amount] of Object.entries(limits)) counted.set(`limits.${resource}`, amount)
  return counted
}

function isInScope({ scopeName, operator, values = [] }: ScopeSelector, pod: CountedPod): boolean {
  switch (scopeName) {
    case 'Terminating':
      return pod.hasDeadline
    case 'NotTerminating':
      return !pod.hasDeadline
    case 'BestEffort':
      return isBestEffort(pod.usage)
    case 'NotBestEffort':
      return !isBestEffort(pod.usage)
    case 'PriorityClass':
      if (operator === 'Exists') return pod.priorityClass !== ''
      if (operator === 'DoesNotExist') return pod.priorityClass === ''
      return values.includes(pod.priorityClass) === (operator === 'In')
    default:
      // Of a scope that we do not know nobody can say whom it counts.
      return false
  }
}

function isBestEffort({ requests, limits }: PodUsage): boolean {
  return [requests, limits].every(({ cpu = 0, memory = 0 }) => cpu === 0 && memory === 0)
}
