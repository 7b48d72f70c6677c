import { readExactJson, writeExactJson } from '../../model/exact-json.ts'
import { isMapping, storedVariables, type Variables } from '../../model/variables.ts'

/** Variables as they rest: what was written by an import keeps every digit. */
function readStored(text: string): Variables {
  if (text.trimStart().startsWith('{')) {
    try {
      const value = readExactJson(text)
      if (isMapping(value)) return value
    } catch {
      // YAML's flow style begins alike.
    }
  }
  return storedVariables(text)
}

/** The text of an object's variables after an import; null when they stay as they are, also in the user's own writing. */
export function mergedVariables(stored: string, sourced: Variables, overwrite: boolean): string | null {
  const before = readStored(stored)
  const after = overwrite ? sourced : { ...before, ...sourced }
  return sorted(before) === sorted(after) ? null : writeExactJson(after)
}

/** Equal for variables that differ in the order of their names only. */
const sorted = (variables: Variables) =>
  writeExactJson(Object.fromEntries(Object.entries(variables).sort(([a], [b]) => (a < b ? -1 : 1))))
