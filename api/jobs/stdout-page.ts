import { escapeHtml } from '../../model/ansi.ts'

/** Foreground colours 30 to 37, readable on dark and light ground alike; backgrounds 40 to 47 are the same. */
const palette = ['#24292e', '#d73a49', '#28a745', '#dbab09', '#0366d6', '#a040a0', '#1b9e9e', '#f6f8fa']

const style = `
body { margin: 1em; color: #24292e; background: #ffffff; }
body.ansi_dark { color: #d1d5da; background: #0d1117; }
pre { font: 12px/1.4 ui-monospace, Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
.ansi1 { font-weight: bold; } .ansi3 { font-style: italic; }
.ansi4 { text-decoration: underline; } .ansi9 { text-decoration: line-through; }
${palette.map((colour, index) => `.ansi${30 + index} { color: ${colour}; } .ansi${40 + index} { background: ${colour}; }`).join('\n')}
`

/** The output as a page of its own; `html` is trusted markup, as `ansiToHtml` makes it. */
export function stdoutPage(title: string, html: string, dark: boolean): string {
  return `<!DOCTYPE html>
<html>
<head><meta charset="utf-8"><title>${escapeHtml(title)}</title><style>${style}</style></head>
<body class="ansi_fore ansi_back${dark ? ' ansi_dark' : ''}">
<pre>${html}</pre>
</body>
</html>`
}

/** What a refusal answers where text or a page was asked for. */
export function refusalPage(title: string, message: string): string {
  return stdoutPage(title, escapeHtml(message), false)
}
