/** The control character that begins a terminal sequence. */
const control = '\u001b'
const sequences = new RegExp(`${control}\\[[0-?]*[ -/]*[@-~]`, 'g')
const pieces = new RegExp(`${control}\\[([0-?]*)[ -/]*([@-~])`, 'g')

/** A text without terminal sequences: colours, cursor movements. */
export function stripAnsi(text: string): string {
  return text.includes(control) ? text.replace(sequences, '') : text
}

/** A text as HTML: escaped, colours and styles as spans with AWX's class names (`ansi1` bold, `ansi31` red, …), other sequences left out. */
export function ansiToHtml(text: string): string {
  let html = ''
  let open = false
  let style = new Set<number>()
  let at = 0
  const close = () => {
    if (open) html += '</span>'
    open = false
  }
  for (const match of text.matchAll(pieces)) {
    html += escapeHtml(text.slice(at, match.index))
    at = match.index + match[0].length
    if (match[2] !== 'm') continue
    close()
    style = restyle(style, match[1] ?? '')
    if (style.size === 0) continue
    const classes = [...style].sort((a, b) => a - b).map((code) => `ansi${code}`)
    html += `<span class="${classes.join(' ')}">`
    open = true
  }
  html += escapeHtml(text.slice(at))
  close()
  return html
}

/** Text that can stand between tags or in an attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Styles after a sequence of codes: 0 clears, a colour replaces the one before, 2x end what x began. */
function restyle(before: Set<number>, codes: string): Set<number> {
  const style = new Set(before)
  const drop = (test: (code: number) => boolean) => {
    for (const code of style) if (test(code)) style.delete(code)
  }
  for (const word of codes === '' ? ['0'] : codes.split(';')) {
    const code = Number(word)
    if (code === 0) style.clear()
    else if (isForeground(code)) {
      drop(isForeground)
      style.add(code)
    } else if (isBackground(code)) {
      drop(isBackground)
      style.add(code)
    } else if (code === 39) drop(isForeground)
    else if (code === 49) drop(isBackground)
    else if (code === 22) drop((one) => one === 1)
    else if (code === 24) drop((one) => one === 4)
    else if ([1, 3, 4, 9].includes(code)) style.add(code)
  }
  return style
}

const isForeground = (code: number) => code >= 30 && code <= 37
const isBackground = (code: number) => code >= 40 && code <= 47
