import type { LimitRange, ResourceQuota } from '../../kubernetes/objects.ts'
import { defaultPodTemplate, mergePodTemplate, parseOverride } from '../../model/pod-template.ts'
import type { PodManifest } from '../../model/pod-template-types.ts'
import { type ContainerDefaults, podUsage } from '../../model/pod-usage.ts'
import { type Quota, type QuotaRoom, quotaRoom } from '../../model/quota-room.ts'
import type { Allowance } from './allowance-watch.ts'

const unknown: QuotaRoom = { fits: Number.POSITIVE_INFINITY, reason: null }

/** The pod that a group's jobs get, as far as quotas look at it. Throws OverrideSyntaxError. */
export function podOfGroup(override: string): PodManifest {
  return mergePodTemplate(defaultPodTemplate(), parseOverride(override))
}

/** For how many such pods a namespace has room, by what is known of its quotas. */
export function roomFor(pod: PodManifest, { quotas, limitRanges }: Allowance): QuotaRoom {
  if (quotas === null || quotas.length === 0) return unknown
  // What a pod that names nothing comes to depends on them: a guess would keep jobs out for nothing.
  if (limitRanges === null) return unknown
  const usage = podUsage(pod, defaultsOf(limitRanges))
  const priorityClass = pod.spec?.priorityClassName
  return quotaRoom(quotas.map(quotaOf), {
    usage,
    // Every pod of ours has one (model/pod-template-manifest.ts).
    hasDeadline: true,
    priorityClass: typeof priorityClass === 'string' ? priorityClass : '',
  })
}

function quotaOf({ metadata, spec, status }: ResourceQuota): Quota {
  const scopes = (spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' }))
  return {
    name: metadata.name,
    scopes: [...scopes, ...(spec?.scopeSelector?.matchExpressions ?? [])],
    // A quota that was not counted yet admits as if it were not there.
    hard: status?.hard ?? {},
    used: status?.used ?? {},
  }
}

function defaultsOf(limitRanges: readonly LimitRange[]): ContainerDefaults {
  const defaults: ContainerDefaults = { requests: {}, limits: {} }
  for (const item of limitRanges.flatMap(({ spec }) => spec?.limits ?? [])) {
    if (item.type !== 'Container') continue
    Object.assign(defaults.limits, item.default)
    Object.assign(defaults.requests, item.defaultRequest)
  }
  return defaults
}
