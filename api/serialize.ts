import { inArray } from 'drizzle-orm'
import { toWireTime } from '../store/instant.ts'
import type { RequestContext, Row } from './context.ts'
import { namedUrl } from './named-url.ts'
import { allowed } from './permissions.ts'
import type { Model } from './registry.ts'
import { listedModel } from './registry.ts'
import type { View } from './resource.ts'
import { loadSummaries } from './summary.ts'
import { wireValue } from './wire-value.ts'

type Wire = Record<string, unknown>

/** Rows as AWX shows them; a page costs a fixed number of queries, whatever its length. */
export async function serialize(
  model: Model,
  rows: readonly Row[],
  context: RequestContext,
  view: View,
): Promise<Wire[]> {
  if (model.resource.variants) return serializeVariants(model, rows, context, view)
  const [computed, summaries] = [
    await computedValues(model, rows, context, view),
    await summaryFields(model, rows, context),
  ]
  const wires: Wire[] = []
  for (const [index, row] of rows.entries()) {
    const wire: Wire = { id: row.id, type: model.resource.type, url: `${model.url}${row.id}/` }
    wire.related = await relatedLinks(model, row, context, view)
    wire.summary_fields = summaries[index]
    if ('created' in row) wire.created = toWireTime(row.created as string | null)
    if ('modified' in row) wire.modified = toWireTime(row.modified as string | null)
    for (const field of model.fields) {
      if (field.field.writeOnly || (field.field.detailOnly && view === 'list')) continue
      if (field.field.kind !== 'computed') wire[field.name] = wireValue(field, row)
      else {
        const value = computed.get(field.name)?.[index]
        if (value !== undefined) wire[field.name] = value
      }
    }
    wires.push(model.resource.present?.(wire, row, context, view) ?? wire)
  }
  return wires
}

/** One row in its detail view. */
export async function serializeOne(model: Model, row: Row, context: RequestContext): Promise<Wire> {
  const [wire] = await serialize(model, [row], context, 'detail')
  return wire ?? {}
}

async function serializeVariants(
  model: Model,
  rows: readonly Row[],
  context: RequestContext,
  view: View,
): Promise<Wire[]> {
  const wires = new Map<Row, Wire>()
  for (const type of new Set(rows.map((row) => String(row.type)))) {
    const own = rows.filter((row) => row.type === type)
    const kind = context.registry.byType(type) ?? unknownType(model, type)
    const shown = await serialize(kind, await wholeRows(model, kind, own, context), context, view)
    own.forEach((row, index) => {
      wires.set(row, shown[index] ?? {})
    })
  }
  return rows.map((row) => wires.get(row) ?? {})
}

/** A list over several tables holds what their rows have in common; the rows themselves are read here. */
async function wholeRows(
  model: Model,
  kind: Model,
  rows: readonly Row[],
  context: RequestContext,
): Promise<readonly Row[]> {
  const { id } = kind.columns
  if (kind.table === model.table || !id) return rows
  const ids = rows.map((row) => row.id)
  const whole = (await context.db.select().from(kind.table).where(inArray(id, ids))) as Row[]
  const byId = new Map(whole.map((row) => [row.id, row]))
  return rows.map((row) => byId.get(row.id) ?? row)
}

function unknownType(model: Model, type: string): never {
  throw new Error(`${model.name} holds a row of type ${type}, which no resource describes`)
}

async function computedValues(
  model: Model,
  rows: readonly Row[],
  context: RequestContext,
  view: View,
): Promise<Map<string, unknown[]>> {
  const values = new Map<string, unknown[]>()
  for (const { name, field } of model.fields) {
    if (field.kind !== 'computed' || (field.detailOnly && view === 'list')) continue
    values.set(name, await field.values(rows, context))
  }
  return values
}

/** Links of a row: foreign keys that are set, sub-lists, actions, and what the resource adds. */
async function relatedLinks(
  model: Model,
  row: Row,
  context: RequestContext,
  view: View,
): Promise<Record<string, string>> {
  const links: Record<string, string | null | undefined> = {}
  if (view === 'detail') links.named_url = await namedUrl(model, row, context)
  for (const { name, relation } of model.shownRelations) {
    const id = row[relation.column]
    const target = context.registry.find(relation.to)
    if (typeof id === 'number' && target) links[name] = `${target.url}${id}/`
  }
  const { subLists = {}, actions = {}, copy } = model.resource
  for (const [key, subList] of Object.entries(subLists)) {
    if (subList.link !== false && isServed(model, key, context))
      links[subList.link ?? key] = `${model.url}${row.id}/${key}/`
  }
  for (const [key, action] of Object.entries(actions)) {
    const link = typeof action.link === 'function' ? action.link(row) : action.link
    if (link !== false) links[typeof link === 'string' ? link : key] = `${model.url}${row.id}/${key}/`
  }
  if (copy) links.copy = `${model.url}${row.id}/copy/`
  Object.assign(links, model.resource.related?.(row))
  return Object.fromEntries(
    Object.entries(links).filter((link): link is [string, string] => typeof link[1] === 'string'),
  )
}

function isServed(model: Model, subList: string, context: RequestContext): boolean {
  const description = model.resource.subLists?.[subList]
  return description !== undefined && listedModel(context.registry, model, description) !== undefined
}

async function summaryFields(model: Model, rows: readonly Row[], context: RequestContext): Promise<Wire[]> {
  const fields: Wire[] = rows.map(() => ({}))
  for (const { name, relation } of model.shownRelations) {
    const target = context.registry.find(relation.to)
    const field = model.field(name)?.field
    if (!target || (field?.writeOnly && !field.summarized)) continue
    const ids = rows.map((row) => row[relation.column]).filter((id) => typeof id === 'number')
    if (ids.length === 0) continue
    const summaries = await loadSummaries(target, ids, context)
    rows.forEach((row, index) => {
      const summary = summaries.get(row[relation.column] as number)
      const shown = fields[index]
      if (summary && shown) shown[name] = summary
    })
  }
  const more = (await model.resource.summaries?.(rows, context)) ?? []
  for (const [index, row] of rows.entries()) {
    Object.assign(fields[index] ?? {}, more[index])
    const capabilities: Record<string, boolean> = {}
    for (const action of model.resource.capabilities ?? [])
      capabilities[action] = await allowed(context, action, model, row)
    if (model.resource.capabilities) Object.assign(fields[index] ?? {}, { user_capabilities: capabilities })
  }
  return fields
}
