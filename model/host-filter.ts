/** A Python pattern as JavaScript writes it: names of groups, the ends of a text, and flags at its beginning. It must match from the beginning. */
export function hostPattern(pattern: string): { source: string; flags: string } {
  const [, letters = '', rest = pattern] = /^\(\?([aimsux]+)\)([\s\S]*)$/.exec(pattern) ?? []
  const flags = [...new Set(letters)].filter((letter) => 'ims'.includes(letter)).join('')
  const source = rest
    .replaceAll('(?P<', '(?<')
    .replace(/\(\?P=(\w+)\)/g, '\\k<$1>')
    .replaceAll('\\A', '^')
    .replaceAll('\\Z', '$')
  return { source: `^(?:${source})`, flags }
}

/** Why a host filter, a Python pattern, cannot be used, or null. */
export function hostFilterProblem(pattern: string): string | null {
  try {
    const { source, flags } = hostPattern(pattern)
    new RegExp(source, flags)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
