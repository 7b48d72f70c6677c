import { type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { BadRequestError } from '../errors.ts'

/** Lookups that may end a filter's name, besides `search`. */
export const lookups = [
  'exact',
  'iexact',
  'contains',
  'icontains',
  'startswith',
  'istartswith',
  'endswith',
  'iendswith',
  'regex',
  'iregex',
  'gt',
  'gte',
  'lt',
  'lte',
  'in',
  'isnull',
] as const
/** One of them. */
export type Lookup = (typeof lookups)[number]

/** The condition `column lookup value`; every value is a parameter of the statement. Bad values give AWX's 400. */
export function compare(column: PgColumn, lookup: Lookup, value: string, foreignKey: boolean): SQL {
  const text = isText(column) ? sql`${column}` : sql`${column}::text`
  switch (lookup) {
    case 'isnull':
      return toBoolean(value) ? sql`${column} is null` : sql`${column} is not null`
    case 'in': {
      if (value === '') throw new BadRequestError('cannot provide empty value for __in')
      const items = value.split(',').map((item) => parameter(column, item))
      return sql`${comparable(column)} in (${sql.join(items, sql`, `)})`
    }
    case 'exact':
      if (foreignKey && /^(none|null)$/i.test(value)) return sql`${column} is null`
      return sql`${comparable(column)} = ${parameter(column, value)}`
    case 'gt':
      return sql`${comparable(column)} > ${parameter(column, value)}`
    case 'gte':
      return sql`${comparable(column)} >= ${parameter(column, value)}`
    case 'lt':
      return sql`${comparable(column)} < ${parameter(column, value)}`
    case 'lte':
      return sql`${comparable(column)} <= ${parameter(column, value)}`
    case 'iexact':
      return sql`upper(${text}) = upper(${plain(value)})`
    case 'contains':
      return sql`${text} like ${`%${escaped(value)}%`}`
    case 'icontains':
      return sql`${text} ilike ${`%${escaped(value)}%`}`
    case 'startswith':
      return sql`${text} like ${`${escaped(value)}%`}`
    case 'istartswith':
      return sql`${text} ilike ${`${escaped(value)}%`}`
    case 'endswith':
      return sql`${text} like ${`%${escaped(value)}`}`
    case 'iendswith':
      return sql`${text} ilike ${`%${escaped(value)}`}`
    case 'regex':
      return sql`${text} ~ ${plain(value)}`
    case 'iregex':
      return sql`${text} ~* ${plain(value)}`
  }
}

/** AWX's reading of booleans in queries: true, false, 1, 0 in any case. */
export function toBoolean(value: string): boolean {
  if (/^(true|1)$/i.test(value)) return true
  if (/^(false|0)$/i.test(value)) return false
  throw new BadRequestError(`Unable to convert "${value}" to boolean`)
}

function isText(column: PgColumn): boolean {
  return column.dataType === 'string' && column.columnType === 'PgText'
}

/** `json` has no equality of its own; as text it can be compared. */
function comparable(column: PgColumn): SQL {
  return column.dataType === 'json' ? sql`${column}::text` : sql`${column}`
}

function parameter(column: PgColumn, value: string): SQL {
  switch (column.columnType) {
    case 'PgInteger':
    case 'PgBigInt53':
      return sql`${toInteger(value)}::bigint`
    case 'PgDoublePrecision':
      return sql`${toNumber(value)}::double precision`
    case 'PgBoolean':
      return sql`${toBoolean(value)}`
    case 'PgTimestampString':
      return sql`${toInstant(value)}::timestamptz`
    default:
      return sql`${plain(value)}`
  }
}

/** Numbers beyond 64 bits match as the largest one does: nothing equals it, everything is smaller. */
function toInteger(value: string): string {
  if (!/^\s*[+-]?\d{1,100}\s*$/.test(value)) throw badValue(`“${value}” value must be an integer.`)
  const limit = 2n ** 63n - 1n
  const number = BigInt(value.trim().replace(/^\+/, ''))
  return String(number > limit ? limit : number < -limit ? -limit : number)
}

function toNumber(value: string): string {
  const number = Number(value)
  if (value.trim() === '' || !Number.isFinite(number)) throw badValue(`“${value}” value must be a float.`)
  return String(number)
}

function toInstant(value: string): string {
  const parts = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)\s*(Z|[+-]\d\d(?::?\d\d)?)?)?$/.exec(value)
  const [, date, time, zone] = parts ?? []
  const instant = `${date}T${time ?? '00:00'}`
  if (!parts || Number.isNaN(Date.parse(`${instant}Z`))) {
    throw badValue(`“${value}” value has an invalid format. It must be in YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ] format.`)
  }
  return `${instant}${zone ?? 'Z'}`
}

/** PostgreSQL texts hold no NUL; no stored text can match one. */
function plain(value: string): string {
  if (value.includes('\0')) throw badValue('Null characters are not allowed.')
  return value
}

function escaped(value: string): string {
  return plain(value).replace(/[\\%_]/g, '\\$&')
}

/** AWX shows such messages as the text of a list with one entry. */
function badValue(message: string): BadRequestError {
  return new BadRequestError(JSON.stringify([message]))
}
