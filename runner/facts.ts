import { isDeepStrictEqual } from 'node:util'
import { isMapping } from '../model/variables.ts'

/** Facts of one host. */
export interface HostFacts {
  hostName: string
  facts: Record<string, unknown>
}

/**
 * ansible-core 2.19 changed its fact cache: the file's name begins with the schema's number, and the facts are JSON text within JSON, where
 * values may carry tags. Which core an image has is not known before it runs, so facts travel in both forms.
 */
const schemaPrefix = 's1_'
const typeKey = '__ansible_type'

/** The cache files of a host, by name within `fact_cache/`; none for a host whose name is no plain file name. */
export function factFiles({ hostName, facts }: HostFacts): { name: string; content: string }[] {
  if (hostName === '' || hostName === '.' || hostName === '..' || hostName.includes('/')) return []
  const clean = withoutTypes(facts)
  return [
    { name: hostName, content: JSON.stringify(clean) },
    { name: schemaPrefix + hostName, content: JSON.stringify({ __payload__: JSON.stringify(clean) }) },
  ]
}

/**
 * What a run changed: hosts whose facts differ from those sent, and, with empty facts, hosts whose files are gone (`meta: clear_facts`).
 * `files` are those of `fact_cache/` in the artifacts; files that are no facts are passed over.
 */
export async function changedFacts(
  files: AsyncIterable<{ name: string; text: string }>,
  sent: HostFacts[],
): Promise<HostFacts[]> {
  const travelled = sent.filter((one) => factFiles(one).length > 0)
  const before = new Map(travelled.map((one) => [one.hostName, withoutTypes(one.facts)]))
  const present = new Set<string>()
  const changed = new Map<string, HostFacts>()
  for await (const { name, text } of files) {
    const found = readFactFile(name, text, before)
    if (!found) continue
    present.add(found.hostName)
    // Of the two forms that were sent only the one that the image's Ansible knows can have changed.
    if (!isDeepStrictEqual(found.facts, before.get(found.hostName))) changed.set(found.hostName, found)
  }
  const cleared = [...before.keys()].filter((hostName) => !present.has(hostName))
  return [...changed.values(), ...cleared.map((hostName) => ({ hostName, facts: {} }))]
}

function readFactFile(name: string, text: string, known: ReadonlyMap<string, unknown>): HostFacts | null {
  try {
    const content: unknown = JSON.parse(text)
    if (!isMapping(content)) return null
    if (typeof content.__payload__ !== 'string') return { hostName: name, facts: content }
    const facts = untagged(JSON.parse(content.__payload__))
    // A host may really be called s1_something.
    const hostName = name.startsWith(schemaPrefix) && !known.has(name) ? name.slice(schemaPrefix.length) : name
    return isMapping(facts) ? { hostName, facts } : null
  } catch {
    return null
  }
}

/** Values without Ansible's tags: origin, trust and the like say nothing outside of the run. */
function untagged(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(untagged)
  if (!isMapping(value)) return value
  if (typeof value[typeKey] !== 'string') return mapValues(value, untagged)
  if ('value' in value) return untagged(value.value)
  if ('iso8601' in value) return value.iso8601
  return withoutTypes(value)
}

/** Facts come from hosts: none of them may pose as a tagged value. */
function withoutTypes<T>(value: T): T {
  const clean = (item: unknown): unknown => {
    if (Array.isArray(item)) return item.map(clean)
    return isMapping(item) ? mapValues(item, clean) : item
  }
  return clean(value) as T
}

function mapValues(value: Record<string, unknown>, change: (item: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== typeKey)
      .map(([key, item]) => [key, change(item)]),
  )
}
