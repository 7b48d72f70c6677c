import type { ManifestInput, PodManifest, TemplateCheck } from './pod-template-types.ts'

/** An override that does not parse; the message names line and column. */
export class OverrideSyntaxError extends Error {
  override name = 'OverrideSyntaxError'
}

/** Parses YAML or JSON text; '' is {}. Throws OverrideSyntaxError. */
export function parseOverride(text: string): PodManifest {
  throw new OverrideSyntaxError(text)
}

/** The base with the override merged in as Kubernetes' strategic merge does. */
export function mergePodTemplate(base: PodManifest, override: PodManifest): PodManifest {
  return { ...base, ...override }
}

/** Checks an override before it is saved. */
export function validateOverride(text: string): TemplateCheck {
  return { ok: text === '', errors: [], warnings: [] }
}

/** The full pod that is created for an attempt, namespace and name included. Throws OverrideSyntaxError. */
export function effectiveManifest(input: ManifestInput): PodManifest & {
  metadata: { name: string; namespace: string }
} {
  return { metadata: { name: input.name, namespace: input.defaultNamespace } }
}
