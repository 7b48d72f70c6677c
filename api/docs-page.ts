import type { OpenApi, Operation } from './openapi.ts'

type Schema = Record<string, unknown>

const style = `
:root{--text:#1b1b1b;--faint:#5a5a5a;--ground:#fff;--rule:#d2d2d2;--link:#0050a8;--get:#0060c0;--post:#2d7a33;--change:#a34f00;--delete:#b8120a}
@media(prefers-color-scheme:dark){:root{--text:#eee;--faint:#aaa;--ground:#1b1b1b;--rule:#444;--link:#73bcf7;--get:#73bcf7;--post:#7cc674;--change:#f4b678;--delete:#ff8d85}}
body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:var(--text);background:var(--ground)}
a{color:var(--link)}nav{columns:11rem}nav a{display:block}h2{margin-top:2.5rem;border-bottom:1px solid var(--rule)}
code{font-size:.9em}summary code{overflow-wrap:anywhere}summary{cursor:pointer;padding:.2rem 0}summary:hover code{text-decoration:underline}
.method{display:inline-block;width:4.5rem;font-weight:600}.get{color:var(--get)}.post{color:var(--post)}.put,.patch{color:var(--change)}.delete{color:var(--delete)}
.about{color:var(--faint);margin-left:1rem}details>:not(summary){margin-left:1.2rem}h3{font-size:1em;margin:.8rem 0 .2rem}
table{border-collapse:collapse;display:block;overflow-x:auto}td{padding:.15rem 1.5rem .15rem 0;vertical-align:top}
@media(max-width:40rem){.about{display:block;margin-left:0}details>:not(summary){margin-left:0}td{padding-right:.6rem}}`

/** The OpenAPI document as one page that needs nothing from elsewhere. */
export function docsPage(api: OpenApi): string {
  const sections = api.tags.map(({ name }) => section(api, name)).join('')
  const links = api.tags.map(({ name }) => `<a href="#${escaped(name)}">${escaped(name)}</a>`).join('')
  return `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(api.info.title)} API</title><style>${style}</style></head><body><h1>${escaped(api.info.title)} API</h1>
<p>${marked(api.info.description)}</p><p>As a document: <a href="../openapi.json">openapi.json</a></p><nav>${links}</nav>${sections}</body></html>`
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
  const head = `<span class="method ${method}">${method.toUpperCase()}</span><code>${escaped(path)}</code>`
  const summary = `<summary>${head}<span class="about">${escaped(operation.summary)}</span></summary>`
  const parameters = operation.parameters.map((parameter): [string, Schema] => [
    String(parameter.name),
    { ...(parameter.schema as Schema), description: parameter.description },
  ])
  const body = operation.requestBody?.content['application/json'].schema
  const tables = [
    table('Parameters', parameters, []),
    table('Body', propertiesOf(body), (body?.required as string[] | undefined) ?? []),
    table('Answer', propertiesOf(answerOf(operation)), []),
  ]
  return `<details>${summary}${tables.join('') || '<p>Takes nothing and answers nothing.</p>'}</details>`
}

/** What a good answer holds; of a list one of its items. */
function answerOf({ responses }: Operation): Schema | undefined {
  const [good] = Object.values(responses)
  const content = good?.content as { 'application/json'?: { schema?: Schema } } | undefined
  const schema = content?.['application/json']?.schema
  const results = (schema?.properties as { results?: { items?: Schema } } | undefined)?.results
  return results?.items ?? schema
}

function propertiesOf(schema: Schema | undefined): [string, Schema][] {
  return Object.entries((schema?.properties ?? {}) as Record<string, Schema>)
}

function table(title: string, fields: [string, Schema][], required: string[]): string {
  if (fields.length === 0) return ''
  const rows = fields.map(
    ([name, field]) =>
      `<tr><td><code>${escaped(name)}</code>${required.includes(name) ? ' *' : ''}</td><td>${escaped(typeOf(field))}</td><td>${escaped(field.description)}</td></tr>`,
  )
  const note = required.length > 0 ? ' (* required)' : ''
  return `<h3>${title}${note}</h3><table>${rows.join('')}</table>`
}

function typeOf(field: Schema): string {
  if (Array.isArray(field.enum)) return field.enum.map((value) => JSON.stringify(value)).join(' | ')
  const type = Array.isArray(field.type) ? field.type.join(' | ') : String(field.type ?? 'any')
  return field.default === undefined || field.default === '' ? type : `${type} = ${JSON.stringify(field.default)}`
}

/** Markdown's code marks, the only ones that our texts use. */
function marked(text: string): string {
  return escaped(text).replace(/`([^`]+)`/g, '<code>$1</code>')
}

function escaped(text: unknown): string {
  return String(text ?? '').replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
