/** Formats of `…/stdout/` in the order in which AWX offers them, and the media type that Accept must allow. */
const mediaTypes = {
  api: 'text/html',
  html: 'text/html',
  txt: 'text/plain',
  ansi: 'text/plain',
  json: 'application/json',
  txt_download: 'text/plain',
  ansi_download: 'text/plain',
} as const
/** One of AWX's formats of a job's output. */
export type StdoutFormat = keyof typeof mediaTypes

/** The format asked for by `?format=` and Accept; the status to refuse with where both cannot be met. */
export function chooseStdoutFormat(format: string | null, accept: string | null): StdoutFormat | 404 | 406 {
  const formats = Object.keys(mediaTypes) as StdoutFormat[]
  const candidates = format === null ? formats : formats.filter((one) => one === format)
  if (candidates.length === 0) return 404
  for (const range of acceptRanges(accept)) {
    const chosen = candidates.find((one) => matches(range, mediaTypes[one]))
    if (chosen) return chosen
  }
  return 406
}

/** Media ranges, the most specific first, as AWX weighs them: it does not look at `q`. */
function acceptRanges(accept: string | null): string[] {
  const ranges = (accept ?? '*/*').split(',').map((range) => (range.split(';')[0] ?? '').trim().toLowerCase())
  const weight = (range: string) => (range === '*/*' ? 2 : range.endsWith('/*') ? 1 : 0)
  return ranges.filter((range) => range !== '').sort((a, b) => weight(a) - weight(b))
}

function matches(range: string, type: string): boolean {
  return range === '*/*' || range === type || (range.endsWith('/*') && type.startsWith(range.slice(0, -1)))
}
