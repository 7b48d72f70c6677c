import { runInNewContext } from 'node:vm'

/** A host filter that is no regular expression, or that takes too long; the message says which. */
export class HostFilterError extends Error {
  override name = 'HostFilterError'
}

/** How long a filter may take over all names, in milliseconds: a pattern may be such that it never ends. */
const patienceMs = 2_000

/** A Python pattern as JavaScript writes it: names of groups, the ends of a text, and flags at its beginning. */
function translated(pattern: string): { source: string; flags: string } {
  const [, letters = '', rest = pattern] = /^\(\?([aimsux]+)\)([\s\S]*)$/.exec(pattern) ?? []
  const flags = [...new Set(letters)].filter((letter) => 'ims'.includes(letter)).join('')
  const source = rest
    .replaceAll('(?P<', '(?<')
    .replace(/\(\?P=(\w+)\)/g, '\\k<$1>')
    .replaceAll('\\A', '^')
    .replaceAll('\\Z', '$')
  return { source: `^(?:${source})`, flags }
}

/** Why a filter cannot be used, or null. */
export function hostFilterProblem(pattern: string): string | null {
  try {
    const { source, flags } = translated(pattern)
    new RegExp(source, flags)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Which names a filter lets through: it must match from the beginning, as Python's re.match does. Throws HostFilterError. */
export function filterHosts(pattern: string, names: readonly string[]): Set<string> {
  if (pattern === '') return new Set(names)
  const problem = hostFilterProblem(pattern)
  if (problem) throw new HostFilterError(`The host filter "${pattern}" is not a regular expression: ${problem}`)
  try {
    const code = 'const wanted = new RegExp(source, flags); names.filter((name) => wanted.test(name))'
    return new Set(runInNewContext(code, { ...translated(pattern), names }, { timeout: patienceMs }) as string[])
  } catch {
    throw new HostFilterError(`The host filter "${pattern}" took more than ${patienceMs / 1000} seconds: simplify it.`)
  }
}
