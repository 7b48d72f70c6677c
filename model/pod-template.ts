import type { PodManifest } from './pod-template-types.ts'
import { isMapping } from './variables.ts'
import { parseYaml } from './yaml.ts'

/** An override that does not parse or is no mapping; the message names line and column where there are any. */
export class OverrideSyntaxError extends Error {
  override name = 'OverrideSyntaxError'
}

/**
 * The pod that every attempt starts from, as AWX's without what effectiveManifest adds. The image is the execution
 * environment's.
 */
export function defaultPodTemplate(): PodManifest {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {},
    spec: {
      serviceAccountName: 'default',
      automountServiceAccountToken: false,
      containers: [{ name: 'worker', resources: { requests: { cpu: '250m', memory: '100Mi' } } }],
    },
  }
}

/** Longest override in characters. */
const longestOverride = 64 * 1024

/**
 * Parses an override, YAML or JSON; empty text is {}. YAML 1.1, which AWX and kubectl read: `yes` is true and 0644 is octal; dates stay
 * texts. Throws OverrideSyntaxError.
 */
export function parseOverride(text: string): PodManifest {
  const parsed = parseYaml(text, { longest: longestOverride, uniqueKeys: true })
  if (!parsed.ok) {
    const { message, place } = parsed
    throw new OverrideSyntaxError(
      place ? `Line ${place.line}, column ${place.column}: ${message}` : `The override cannot be read: ${message}`,
    )
  }
  const { value } = parsed
  if (value === null || value === undefined) return {}
  if (!isMapping(value))
    throw new OverrideSyntaxError('The override must be a mapping with keys such as metadata and spec.')
  return value
}

/**
 * The base with the override merged in as Kubernetes' strategic merge does it: mappings key by key, the lists named below item by item, all
 * other lists replaced whole, `$patch: delete` and `$patch: replace` obeyed. Two rules are AWX's: null keeps the base's value, and a first
 * container without name is the worker.
 */
export function mergePodTemplate(base: PodManifest, override: PodManifest): PodManifest {
  return merge(base, withNamedWorker(override), '') as PodManifest
}

/** Lists that merge item by item and the field that identifies an item, by where they are; from the Pod's API conventions (patchMergeKey). */
const mergeKeys: Record<string, string> = {
  'spec.containers': 'name',
  'spec.initContainers': 'name',
  'spec.volumes': 'name',
  'spec.imagePullSecrets': 'name',
  'spec.hostAliases': 'ip',
  'spec.topologySpreadConstraints': 'topologyKey',
  'spec.schedulingGates': 'name',
  'spec.resourceClaims': 'name',
  'container.env': 'name',
  'container.ports': 'containerPort',
  'container.volumeMounts': 'mountPath',
  'container.volumeDevices': 'devicePath',
  'metadata.ownerReferences': 'uid',
}

type Mapping = Record<string, unknown>

function merge(base: unknown, override: unknown, place: string): unknown {
  if (override === null || override === undefined) return base ?? override
  if (Array.isArray(override)) {
    const key = mergeKeys[place]
    return key && Array.isArray(base) ? mergeList(base, override, key, place) : withoutDirectives(override)
  }
  if (!isMapping(override)) return override
  if (!isMapping(base) || override.$patch === 'replace') return withoutDirectives(override)
  // A volume has one source: another source replaces the first instead of standing beside it.
  if (place === 'volume') return withoutDirectives(override)
  const merged: Mapping = { ...base }
  for (const [key, value] of Object.entries(override)) {
    if (isMapping(value) && value.$patch === 'delete') delete merged[key]
    else if (key !== '$patch') merged[key] = merge(base[key], value, placeOf(place, key))
  }
  return merged
}

function mergeList(base: unknown[], override: unknown[], key: string, place: string): unknown[] {
  if (override.some((item) => isMapping(item) && item.$patch === 'replace' && !(key in item))) {
    return withoutDirectives(override.filter((item) => !(isMapping(item) && item.$patch === 'replace'))) as unknown[]
  }
  const merged = [...base]
  for (const item of override) {
    const at = isMapping(item) ? merged.findIndex((known) => isMapping(known) && known[key] === item[key]) : -1
    if (isMapping(item) && item.$patch === 'delete') {
      if (at >= 0) merged.splice(at, 1)
    } else if (at >= 0) merged[at] = merge(merged[at], item, itemPlace(place))
    else merged.push(withoutDirectives(item))
  }
  return merged
}

function placeOf(place: string, key: string): string {
  if (place === '') return key
  return place === 'spec' || place === 'metadata' || place === 'container' ? `${place}.${key}` : ''
}

function itemPlace(list: string): string {
  if (list === 'spec.containers' || list === 'spec.initContainers') return 'container'
  return list === 'spec.volumes' ? 'volume' : ''
}

function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives)
  if (!isMapping(value)) return value
  const kept = Object.entries(value).filter(
    ([key, inner]) => key !== '$patch' && !(isMapping(inner) && inner.$patch === 'delete'),
  )
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutDirectives(inner)]))
}

function withNamedWorker(override: PodManifest): PodManifest {
  const containers: unknown = override.spec?.containers
  if (!Array.isArray(containers)) return override
  const [first, ...others] = containers
  if (!isMapping(first) || first.name) return override
  return { ...override, spec: { ...override.spec, containers: [{ ...first, name: 'worker' }, ...others] } }
}
