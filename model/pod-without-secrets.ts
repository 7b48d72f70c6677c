import { isMapping } from './variables.ts'

/** Stands where a value was that may be a secret. */
export const hiddenValue = '**********'

/** Annotations whose values are ours and hold none. */
const ourAnnotation = /^mayfly\.dev\//

/** Options of drivers of volumes are free texts: some take passwords there. */
const freeOptions = new Set(['volumeAttributes', 'options', 'attributes'])

/**
 * A pod's manifest as it may be kept and shown to whoever may read the job: the same shape and names, without a value that people put secrets
 * into. Those are environment variables, annotations, arguments, headers of probes, options of volumes, addresses of repositories. Secrets
 * that are referred to were never in it. The status is left out.
 */
export function podWithoutSecrets(pod: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { status: _status, ...manifest } = pod
  return clean(manifest) as Record<string, unknown>
}

function clean(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clean)
  if (!isMapping(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      // Holds every field's name once more, and for some kinds of pods their values.
      .filter(([name]) => name !== 'managedFields')
      .map(([name, field]) => [name, cleanField(name, field)]),
  )
}

function cleanField(name: string, field: unknown): unknown {
  if ((name === 'env' || name === 'httpHeaders') && Array.isArray(field)) return field.map(withoutValue)
  if (name === 'annotations' && isMapping(field)) return withoutValues(field, (key) => ourAnnotation.test(key))
  if (freeOptions.has(name) && isMapping(field)) return withoutValues(field, () => false)
  // The program tells what was to be run; what follows may hold a password.
  if (name === 'command' && Array.isArray(field)) return field.map((word, index) => (index === 0 ? word : hiddenValue))
  if (name === 'args' && Array.isArray(field)) return field.map(() => hiddenValue)
  if (name === 'gitRepo' && isMapping(field)) return { ...field, repository: hiddenValue }
  return clean(field)
}

function withoutValue(item: unknown): unknown {
  if (!isMapping(item)) return hiddenValue
  return 'value' in item ? { ...item, value: hiddenValue } : clean(item)
}

function withoutValues(mapping: Record<string, unknown>, keeps: (key: string) => boolean): Record<string, unknown> {
  return Object.fromEntries(Object.entries(mapping).map(([key, value]) => [key, keeps(key) ? value : hiddenValue]))
}
