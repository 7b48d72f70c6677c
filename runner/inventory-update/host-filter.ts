import { runInNewContext } from 'node:vm'
import { hostFilterProblem, hostPattern } from '../../model/host-filter.ts'

/** A host filter that is no regular expression, or that takes too long; the message says which. */
export class HostFilterError extends Error {
  override name = 'HostFilterError'
}

/** How long a filter may take over all names, in milliseconds: a pattern may be such that it never ends. */
const patienceMs = 2_000

/** Which names a filter lets through: it must match from the beginning, as Python's re.match does. Throws HostFilterError. */
export function filterHosts(pattern: string, names: readonly string[]): Set<string> {
  if (pattern === '') return new Set(names)
  const problem = hostFilterProblem(pattern)
  if (problem) throw new HostFilterError(`The host filter "${pattern}" is not a regular expression: ${problem}`)
  try {
    const code = 'const wanted = new RegExp(source, flags); names.filter((name) => wanted.test(name))'
    return new Set(runInNewContext(code, { ...hostPattern(pattern), names }, { timeout: patienceMs }) as string[])
  } catch {
    throw new HostFilterError(`The host filter "${pattern}" took more than ${patienceMs / 1000} seconds: simplify it.`)
  }
}
