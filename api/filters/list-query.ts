import { and, asc, desc, type SQL, sql } from 'drizzle-orm'
import { BadRequestError } from '../errors.ts'
import type { Model, Registry } from '../registry.ts'
import { Conditions, type Term } from './conditions.ts'
import { lookups } from './lookup.ts'
import { resolveSpan } from './span.ts'

/** What a list's query string asks of the database. */
export interface ListQuery {
  where: SQL | undefined
  orderBy: SQL[]
}

/** Names of the query string that are no filters. */
const reserved = new Set([
  'page',
  'page_size',
  'format',
  'order',
  'order_by',
  'search',
  'type',
  'host_filter',
  'count_disabled',
  'no_truncate',
  'limit',
  'validate',
  'fields',
  'role_level',
])

/** Fields of a related object that `rel__search` looks into, where it has them. */
const nameLike = ['username', 'first_name', 'last_name', 'email', 'name', 'description', 'playbook']

/** Compiles filters, search, type and order of a query string. The one mechanism of all lists. */
export function compileListQuery(
  registry: Registry,
  model: Model,
  query: URLSearchParams,
  defaultOrder: readonly string[] = model.resource.order ?? ['id'],
): ListQuery {
  const conditions = new Conditions()
  const columns = model.columns
  const together: Term[] = []
  const alone: (SQL | undefined)[] = []
  const alternatives: SQL[] = []
  for (const [key, value] of query) {
    if (reserved.has(key)) continue
    const filter = readPrefixes(key)
    if (filter.path.endsWith('__search')) continue
    if (filter.path === 'type' || filter.path.startsWith('type__')) {
      // AWX knows `type` only as a parameter of its own: as a field it equals nothing.
      alone.push(sql`false`)
      continue
    }
    const term = readTerm(registry, model, filter.path, value)
    const condition = () => (filter.negated ? conditions.none(term, columns) : conditions.one(term, columns))
    if (filter.kind === 'or') alternatives.push(condition())
    else if (filter.kind === 'chain' || filter.negated) alone.push(condition())
    else together.push(term)
  }
  const where = and(
    conditions.all(together, columns),
    ...alone,
    conditions.any(alternatives),
    typeCondition(model, query),
    searchCondition(registry, model, query, conditions),
    ...relatedSearches(registry, model, query, conditions),
  )
  return { where, orderBy: compileOrder(registry, model, query, defaultOrder, conditions) }
}

/** One filter as a condition, for look-ups made by the API itself (named URLs). */
export function equals(
  registry: Registry,
  model: Model,
  pairs: readonly (readonly [path: string, value: string])[],
): SQL | undefined {
  const terms = pairs.map(
    ([path, value]): Term => ({ span: resolveSpan(registry, model, path), lookup: 'exact', value }),
  )
  return new Conditions().all(terms, model.columns)
}

interface Prefixed {
  kind: 'and' | 'or' | 'chain'
  negated: boolean
  path: string
}

function readPrefixes(key: string): Prefixed {
  const [, group, negation, path = ''] = /^(or__|chain__)?(not__)?(.*)$/s.exec(key) ?? []
  return {
    kind: group === 'or__' ? 'or' : group === 'chain__' ? 'chain' : 'and',
    negated: negation !== undefined,
    path,
  }
}

function readTerm(registry: Registry, model: Model, path: string, value: string): Term {
  const cut = path.lastIndexOf('__')
  const suffix = cut < 0 ? '' : path.slice(cut + 2)
  const lookup = lookups.find((name) => name === suffix)
  return {
    span: resolveSpan(registry, model, lookup ? path.slice(0, cut) : path),
    lookup: lookup ?? 'exact',
    value,
  }
}

/** `?type=a,b`: on a list of several kinds those kinds, elsewhere all or nothing. */
function typeCondition(model: Model, query: URLSearchParams): SQL | undefined {
  const types = query.getAll('type').flatMap((value) => value.split(','))
  if (types.length === 0) return undefined
  const column = model.resource.variants ? model.columns.type : undefined
  if (!column) return types.includes(model.resource.type) ? undefined : sql`false`
  return sql`${column} in (${sql.join(
    types.map((type) => sql`${type}`),
    sql`, `,
  )})`
}

/** Every word must occur in one of the search fields. */
function searchCondition(
  registry: Registry,
  model: Model,
  query: URLSearchParams,
  conditions: Conditions,
): SQL | undefined {
  const terms = query.getAll('search').flatMap((value) => value.split(/[\s,]+/).filter((word) => word !== ''))
  const fields = model.resource.searchFields ?? []
  if (fields.length === 0) return undefined
  return and(
    ...terms.map((word) =>
      conditions.any(
        fields.map((field) =>
          conditions.one(
            { span: resolveSpan(registry, model, field), lookup: 'icontains', value: word },
            model.columns,
          ),
        ),
      ),
    ),
  )
}

/** `rel__search=a,b`: all words occur in name-like fields of the relation; a repeated key means one of them. */
function relatedSearches(
  registry: Registry,
  model: Model,
  query: URLSearchParams,
  conditions: Conditions,
): (SQL | undefined)[] {
  return [...new Set(query.keys())]
    .filter((key) => !reserved.has(key) && key.endsWith('__search'))
    .map((key) => {
      const path = key.slice(0, -'__search'.length)
      const targets = searchTargets(registry, model, path)
      const values = query.getAll(key)
      const every = values.some((value) => value.includes(','))
      const words = values.flatMap((value) => (every ? value.split(',') : [value]))
      const found = words.map(
        (word) =>
          conditions.any(
            targets.map((target) =>
              conditions.one({ ...readTerm(registry, model, target, word), lookup: 'icontains' }, model.columns),
            ),
          ) ?? sql`false`,
      )
      return every ? and(...found) : conditions.any(found)
    })
}

function searchTargets(registry: Registry, model: Model, path: string): string[] {
  const span = resolveSpan(registry, model, path)
  const relation = span.foreignKey ? span.model.relation(path.split('__').at(-1) ?? '') : undefined
  const related = relation ? registry.find(relation.to) : span.column === undefined ? span.model : undefined
  if (!related) throw new BadRequestError(`${path} is not searchable`)
  return nameLike.filter((name) => related.field(name)?.key !== undefined).map((name) => `${path}__${name}`)
}

/** `order_by=a,-b`; the id always comes last, so that pages never overlap. */
function compileOrder(
  registry: Registry,
  model: Model,
  query: URLSearchParams,
  defaultOrder: readonly string[],
  conditions: Conditions,
): SQL[] {
  const asked = [...query.getAll('order_by'), ...query.getAll('order')]
    .flatMap((value) => value.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '')
  const names = asked.length > 0 ? asked : defaultOrder
  const order = names.map((name) => {
    const descending = name.startsWith('-')
    const path = descending ? name.slice(1) : name
    const value =
      path === 'type' ? typeColumn(model) : conditions.scalar(resolveSpan(registry, model, path), model.columns)
    return descending ? desc(value) : asc(value)
  })
  const id = model.columns.id
  return names.some((name) => /^-?(id|pk)$/.test(name)) || !id ? order : [...order, asc(id)]
}

function typeColumn(model: Model): SQL {
  return model.columns.type ? sql`${model.columns.type}` : sql`${model.resource.type}::text`
}
