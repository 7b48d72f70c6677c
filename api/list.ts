import { and, count, getTableColumns, type SQL } from 'drizzle-orm'
import type { RequestContext, Row } from './context.ts'
import { BadRequestError, NotFoundError } from './errors.ts'
import { scopeOf } from './filters/conditions.ts'
import { compileListQuery } from './filters/list-query.ts'
import { readable } from './permissions.ts'
import type { Model } from './registry.ts'
import { serialize } from './serialize.ts'

const defaultPageSize = 25
/** Larger pages are cut to this. */
export const maxPageSize = 200

/** What a list answers; `count` and the links are absent under `count_disabled` and `limit`. */
export interface ListBody {
  count?: number
  next?: string | null
  previous?: string | null
  results: Record<string, unknown>[]
}

/** What narrows or orders a list before the query string does. */
export interface ListOptions {
  /** Narrows the list to the objects of a parent. */
  where?: SQL
  /** Order before the resource's own default: attachments keep theirs. */
  orderBy?: SQL[]
  order?: readonly string[]
}

/** One page of a resource, as the request's query asks for it. */
export async function listObjects(model: Model, context: RequestContext, options: ListOptions = {}): Promise<ListBody> {
  const url = new URL(context.request.url)
  const query = url.searchParams
  const compiled = compileListQuery(context.registry, model, query, options.order)
  const where = and(
    scopeOf(model),
    options.where,
    readable(context, model),
    model.resource.filter?.(query, context),
    compiled.where,
  )
  const asked = query.has('order_by') || query.has('order')
  const orderBy = asked ? compiled.orderBy : [...(options.orderBy ?? []), ...compiled.orderBy]
  const columns = { ...getTableColumns(model.table), ...model.resource.listColumns?.(query) }
  const rows = async (limit: number, offset: number) =>
    (await context.db
      .select(columns)
      .from(model.table)
      .where(where)
      .orderBy(...orderBy)
      .limit(limit)
      .offset(offset)) as Row[]

  const limit = model.resource.limitParameter ? readLimit(query) : undefined
  if (limit !== undefined) return { results: await serialize(model, await rows(limit, 0), context, 'list') }

  const size = readPageSize(query)
  if (query.has('count_disabled')) {
    const page = readPage(query, Number.MAX_SAFE_INTEGER)
    return { results: await serialize(model, await rows(size, (page - 1) * size), context, 'list') }
  }
  const [counted] = await context.db.select({ count: count() }).from(model.table).where(where)
  const total = counted?.count ?? 0
  const pages = Math.max(1, Math.ceil(total / size))
  const page = readPage(query, pages)
  return {
    count: total,
    next: page < pages ? pageLink(url, page + 1) : null,
    previous: page > 1 ? pageLink(url, page - 1) : null,
    results: total === 0 ? [] : await serialize(model, await rows(size, (page - 1) * size), context, 'list'),
  }
}

/** Zero and less mean the default, more than the maximum means the maximum. */
function readPageSize(query: URLSearchParams): number {
  const text = query.get('page_size')
  if (text === null) return defaultPageSize
  if (!/^\s*[+-]?\d+\s*$/.test(text)) throw new BadRequestError('page_size must be an integer.')
  const size = Number(text)
  return size <= 0 ? defaultPageSize : Math.min(size, maxPageSize)
}

function readPage(query: URLSearchParams, last: number): number {
  const text = query.get('page') ?? '1'
  const page = text === 'last' ? last : /^\d+$/.test(text) ? Number(text) : 0
  if (page < 1 || page > last) throw new NotFoundError('Invalid page.')
  return page
}

function readLimit(query: URLSearchParams): number | undefined {
  const text = query.get('limit')
  if (text === null) return undefined
  if (!/^\d+$/.test(text) || Number(text) < 1) throw new BadRequestError('limit must be a positive integer.')
  return Math.min(Number(text), 10_000)
}

/** Relative, with the query kept and its names in order, as AWX links pages; the first page has no number. */
function pageLink(url: URL, page: number): string {
  const query = new URLSearchParams(url.searchParams)
  if (page === 1) query.delete('page')
  else query.set('page', String(page))
  if (Number(query.get('page_size')) > maxPageSize) query.set('page_size', String(maxPageSize))
  query.sort()
  const text = query.toString()
  return text === '' ? url.pathname : `${url.pathname}?${text}`
}
