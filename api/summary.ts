import { inArray } from 'drizzle-orm'
import type { RequestContext, Row } from './context.ts'
import type { Model } from './registry.ts'
import { wireValue } from './wire-value.ts'

type Summaries = Map<number, Record<string, unknown>>

/** What others show of the given objects (`{id, name, description, …}`), by id; each object is read once a request. */
export async function loadSummaries(model: Model, ids: readonly number[], context: RequestContext): Promise<Summaries> {
  const key = `summary:${model.name}`
  const known = (context.cache.get(key) as Summaries | undefined) ?? new Map()
  context.cache.set(key, known)
  const missing = [...new Set(ids)].filter((id) => !known.has(id))
  const id = model.columns.id
  if (missing.length > 0 && id) {
    const rows = (await context.db.select().from(model.table).where(inArray(id, missing))) as Row[]
    for (const [index, summary] of (await summarize(model, rows, context)).entries())
      known.set(rows[index]?.id ?? 0, summary)
  }
  return known
}

/** The same by the name of a resource, for ids of which some may be null: those have no summary. */
export async function summariesOf(
  resource: string,
  ids: readonly (number | null)[],
  context: RequestContext,
): Promise<Summaries> {
  return await loadSummaries(
    context.registry.get(resource),
    ids.filter((id) => id !== null),
    context,
  )
}

/** An entry of summary_fields; none where there is nothing to show. */
export function summaryEntry(key: string, summary: unknown): Record<string, unknown> {
  return summary === undefined ? {} : { [key]: summary }
}

/** Keeps what others show of rows that were just read anyway, so that serializing does not read them again. */
export async function rememberSummaries(model: Model, rows: readonly Row[], context: RequestContext): Promise<void> {
  const known = await loadSummaries(model, [], context)
  for (const [index, summary] of (await summarize(model, rows, context)).entries())
    known.set(rows[index]?.id ?? 0, summary)
}

async function summarize(
  model: Model,
  rows: readonly Row[],
  context: RequestContext,
): Promise<Record<string, unknown>[]> {
  const { fields = ['name', 'description'], extra } = model.resource.summary ?? {}
  const extras = (await extra?.(rows, context)) ?? []
  return rows.map((row, index) => {
    const summary: Record<string, unknown> = { id: row.id }
    for (const name of fields) {
      const field = model.field(name)
      if (field) summary[name] = wireValue(field, row)
    }
    return { ...summary, ...extras[index] }
  })
}
