import { eq, type SQL, sql } from 'drizzle-orm'
import type { RequestContext, Row } from './context.ts'
import { Conditions, scopeOf } from './filters/conditions.ts'
import { equals } from './filters/list-query.ts'
import { resolveSpan } from './filters/span.ts'
import type { Model, Registry } from './registry.ts'

/** `+` separates fields and `++` objects, so a literal one is written `[+]`; what would end a path is percent-encoded. */
function escapePart(text: string): string {
  return text.replace(/[;/?:@=&[\]#%]/g, encodeURIComponent).replaceAll('+', '[+]')
}

/**
 * Splits the last part of `/organizations/<named>/` into the values of `namedUrl`; undefined when it has more parts than the resource
 * names. A bare first part (`job_templates/rec-ok/`) and an empty last one (`rec-inv++/`) leave the rest open.
 */
function readNamedUrl(
  parts: readonly (readonly string[])[],
  text: string,
): [path: string, value: string][] | undefined {
  const groups = text.split(/(?<!\[)\+\+/)
  if (groups.length > parts.length) return undefined
  const pairs: [string, string][] = []
  for (const [index, group] of groups.entries()) {
    const names = parts[index] ?? []
    if (group === '') continue
    const values = group.split(/(?<!\[)\+/).map((value) => value.replaceAll('[+]', '+'))
    if (values.length !== names.length) return undefined
    names.forEach((name, at) => {
      pairs.push([name, values[at] ?? ''])
    })
  }
  return pairs
}

/** Condition that finds the object of a named URL; undefined when the text cannot name one. */
export function namedUrlCondition(registry: Registry, model: Model, text: string): SQL | undefined {
  const pairs = readNamedUrl(model.resource.namedUrl ?? [], text)
  return pairs && pairs.length > 0 ? equals(registry, model, pairs) : undefined
}

/** `related.named_url` of a row; undefined where the resource has none. */
export async function namedUrl(model: Model, row: Row, context: RequestContext): Promise<string | undefined> {
  const parts = model.resource.namedUrl
  if (!parts) return undefined
  const values = await partValues(model, parts.flat(), row, context)
  const groups = parts.map((group) => group.map((name) => escapePart(values.get(name) ?? '')).join('+'))
  return `${model.url}${groups.join('++')}/`
}

async function partValues(
  model: Model,
  names: string[],
  row: Row,
  context: RequestContext,
): Promise<Map<string, string>> {
  const values = new Map<string, string>()
  const conditions = new Conditions()
  const further: Record<string, SQL.Aliased> = {}
  for (const name of names) {
    const span = resolveSpan(context.registry, model, name)
    if (span.steps.length === 0 && span.column) values.set(name, String(row[span.column] ?? ''))
    else further[name] = sql`${conditions.scalar(span, model.columns)}`.as(name)
  }
  const id = model.columns.id
  if (Object.keys(further).length === 0 || !id) return values
  const [found] = await context.db
    .select(further)
    .from(model.table)
    .where(sql`${eq(id, row.id)} and ${scopeOf(model) ?? sql`true`}`)
  for (const [name, value] of Object.entries(found ?? {})) values.set(name, String(value ?? ''))
  return values
}
