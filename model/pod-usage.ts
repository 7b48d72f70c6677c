import type { Container, PodManifest } from './pod-template-types.ts'
import { parseQuantity } from './quantity.ts'

/** What a LimitRange gives to containers that say nothing; quantities by resource. */
export interface ContainerDefaults {
  requests: Record<string, string>
  limits: Record<string, string>
}

/** Amounts by resource. */
export type Amounts = Record<string, number>

/** What a pod asks of its cluster. */
export interface PodUsage {
  requests: Amounts
  limits: Amounts
}

/**
 * What a pod asks for, as the API server and the scheduler reckon it: the sum of its containers, or its largest init container where that
 * is more; init containers that go on running (restartPolicy Always) count with the containers, and the overhead on top. A container that names a limit
 * alone requests as much; what it does not name at all comes from the namespace's defaults.
 */
export function podUsage(manifest: PodManifest, defaults: ContainerDefaults = { requests: {}, limits: {} }): PodUsage {
  const spec = manifest.spec ?? {}
  const of = (kind: 'requests' | 'limits') => {
    const running = (spec.containers ?? []).map((container) => amountsOf(container, kind, defaults))
    const total: Amounts = {}
    let peak: Amounts = {}
    for (const container of spec.initContainers ?? []) {
      const amounts = amountsOf(container, kind, defaults)
      if (container.restartPolicy === 'Always') add(total, amounts)
      peak = larger(peak, container.restartPolicy === 'Always' ? total : sum(total, amounts))
    }
    for (const amounts of running) add(total, amounts)
    const most = larger(total, peak)
    const overhead = quantities(spec.overhead)
    // A limit that nobody set has no overhead to stand beside.
    for (const [resource, amount] of Object.entries(overhead)) {
      if (kind === 'requests' || resource in most) most[resource] = (most[resource] ?? 0) + amount
    }
    return most
  }
  return { requests: of('requests'), limits: of('limits') }
}

function amountsOf(container: Container, kind: 'requests' | 'limits', defaults: ContainerDefaults): Amounts {
  const { requests = {}, limits = {} } = container.resources ?? {}
  if (kind === 'limits') return quantities({ ...defaults.limits, ...limits })
  return quantities({ ...defaults.requests, ...limits, ...requests })
}

function quantities(named: unknown): Amounts {
  if (typeof named !== 'object' || named === null) return {}
  const pairs = Object.entries(named).map(([resource, text]) => [resource, parseQuantity(String(text))] as const)
  return Object.fromEntries(pairs.filter(([, amount]) => !Number.isNaN(amount)))
}

function add(total: Amounts, more: Amounts): void {
  for (const [resource, amount] of Object.entries(more)) total[resource] = (total[resource] ?? 0) + amount
}

function sum(one: Amounts, other: Amounts): Amounts {
  const total = { ...one }
  add(total, other)
  return total
}

function larger(one: Amounts, other: Amounts): Amounts {
  const most = { ...one }
  for (const [resource, amount] of Object.entries(other)) most[resource] = Math.max(most[resource] ?? 0, amount)
  return most
}
