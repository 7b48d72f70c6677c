/** What stands before and after the output in an event line; within the output every quotation mark is escaped. */
const beforeOutput = '"stdout": "'
const afterOutput = '", "start_line": '
/** Uuid and counter alone come before the output. */
const longestPreface = 1024

/**
 * An event line without the middle of its output, of which only beginning and end are there: everything but the output is as it was, so the
 * job's course is known even if somebody prints a gigabyte at once. Null for a line that is no event, or too long for another reason.
 */
export function abridgedEvent(line: Buffer, tail: Buffer, leftOut: number): Buffer | null {
  const begin = line.indexOf(beforeOutput)
  const end = tail.indexOf(afterOutput)
  if (begin < 0 || begin > longestPreface || end < 0) return null
  const cut = lastWhole(line, begin + beforeOutput.length)
  const missing = line.length - cut + leftOut + end
  return Buffer.concat([line.subarray(0, cut), Buffer.from(`… (${missing} bytes left out)`), tail.subarray(end)])
}

/** The last place where no escape sequence (`\\n`, `\\u00e9`) is cut in two. */
function lastWhole(line: Buffer, from: number): number {
  const [backslash, u] = [0x5c, 0x75]
  for (let at = from; ; ) {
    const length = line[at] !== backslash ? 1 : line[at + 1] === u ? 6 : 2
    if (at + length > line.length) return at
    at += length
  }
}
