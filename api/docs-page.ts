import type { OpenApi, Operation } from './openapi.ts'

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}
h2{margin-top:2.5rem;border-bottom:1px solid #ccc}summary{cursor:pointer;padding:.2rem 0}code{font-size:.9em}
.method{display:inline-block;width:4.5rem;font-weight:600}.get{color:#06c}.post{color:#3e8635}.put,.patch{color:#b35c00}.delete{color:#c9190b}
table{border-collapse:collapse;margin:.5rem 0 1rem 4.5rem}td,th{text-align:left;padding:.15rem .8rem .15rem 0;vertical-align:top}nav a{margin-right:1rem}
@media(prefers-color-scheme:dark){body{background:#1b1b1b;color:#eee}a{color:#73bcf7}}`

/** The OpenAPI document as one page that needs nothing from elsewhere. */
export function docsPage(api: OpenApi): string {
  const sections = api.tags.map(({ name }) => section(api, name)).join('')
  const links = api.tags.map(({ name }) => `<a href="#${escaped(name)}">${escaped(name)}</a>`).join(' ')
  return `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(api.info.title)} API</title><style>${style}</style></head><body><h1>${escaped(api.info.title)} API</h1>
<p>${escaped(api.info.description)}</p><p>As a document: <a href="../openapi.json">openapi.json</a></p><nav>${links}</nav>${sections}</body></html>`
}

function section(api: OpenApi, tag: string): string {
  const operations = Object.entries(api.paths).flatMap(([path, byMethod]) =>
    Object.entries(byMethod)
      .filter(([, operation]) => operation.tags.includes(tag))
      .map(([method, operation]) => operationHtml(path, method, operation)),
  )
  return `<h2 id="${escaped(tag)}">${escaped(tag)}</h2>${operations.join('')}`
}

function operationHtml(path: string, method: string, operation: Operation): string {
  const body = operation.requestBody?.content['application/json'].schema
  return `<details><summary><span class="method ${method}">${method.toUpperCase()}</span><code>${escaped(path)}</code></summary>
<p>${escaped(operation.summary)}</p>${body ? fieldTable(body) : ''}</details>`
}

function fieldTable(schema: Record<string, unknown>): string {
  const required = new Set(schema.required as string[] | undefined)
  const rows = Object.entries((schema.properties ?? {}) as Record<string, Record<string, unknown>>).map(
    ([name, field]) =>
      `<tr><td><code>${escaped(name)}</code>${required.has(name) ? ' *' : ''}</td><td>${escaped(typeOf(field))}</td><td>${escaped(field.description)}</td></tr>`,
  )
  return rows.length === 0 ? '' : `<table><tr><th>Field</th><th>Type</th><th></th></tr>${rows.join('')}</table>`
}

function typeOf(field: Record<string, unknown>): string {
  if (Array.isArray(field.enum)) return field.enum.map((value) => JSON.stringify(value)).join(' | ')
  return Array.isArray(field.type) ? field.type.join(' | ') : String(field.type ?? 'any')
}

function escaped(text: unknown): string {
  return String(text ?? '').replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
