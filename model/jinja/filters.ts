import { pythonJson } from '../variables.ts'
import { TemplateError } from './errors.ts'
import { bounded, formatted, halfToEven, number } from './python.ts'
import { printed } from './values.ts'

/** A filter over plain values: what it is applied to, its arguments, and those given by name. */
export type Filter = (value: unknown, args: readonly unknown[], named: Record<string, unknown>) => unknown

/** Jinja's filters that messages can use, in plain values; none of them calls back into a template or out of it. */
export const filters: Readonly<Record<string, Filter>> = Object.assign(Object.create(null) as Record<string, Filter>, {
  abs: (value: unknown) => Math.abs(number(value, 'abs')),
  batch: (value, args, named) => {
    const [size, fill] = [count(args[0] ?? named.linecount, 'batch'), args[1] ?? named.fill_with]
    const rows: unknown[][] = []
    for (const [index, item] of list(value).entries()) {
      if (index % size === 0) rows.push([])
      rows.at(-1)?.push(item)
    }
    const last = rows.at(-1)
    while (fill !== undefined && last && last.length < size) last.push(fill)
    return rows
  },
  capitalize: (value) => {
    const text = printed(value).toLowerCase()
    return text.charAt(0).toUpperCase() + text.slice(1)
  },
  center: (value, args, named) => {
    const [text, width] = [printed(value), count(args[0] ?? named.width ?? 80, 'center')]
    const missing = Math.max(0, width - text.length)
    return `${' '.repeat(Math.floor(missing / 2))}${text}${' '.repeat(Math.ceil(missing / 2))}`
  },
  default: orDefault,
  d: orDefault,
  dictsort: (value, args, named) => {
    const by = (args[1] ?? named.by) === 'value' ? 1 : 0
    const entries = Object.entries(mapping(value)).sort((a, b) => compare(a[by], b[by]))
    return (args[2] ?? named.reverse) ? entries.reverse() : entries
  },
  e: escapeHtml,
  escape: escapeHtml,
  forceescape: escapeHtml,
  format: (value, args) => formatted(printed(value), args),
  first: (value) => list(value)[0],
  float: (value, args, named) => numeric(value, args[0] ?? named.default ?? 0),
  indent: (value, args, named) => {
    const width = args[0] ?? named.width ?? 4
    const lead = typeof width === 'string' ? width : ' '.repeat(count(width, 'indent', 0))
    const [first, blank] = [args[1] ?? named.first, args[2] ?? named.blank]
    const lines = printed(value).split('\n')
    bounded(lines.length * lead.length)
    return lines.map((line, at) => ((at === 0 && !first) || (line === '' && !blank) ? line : lead + line)).join('\n')
  },
  int: (value, args, named) => Math.trunc(numeric(value, args[0] ?? named.default ?? 0) as number),
  items: (value) => Object.entries(mapping(value)),
  join: (value, args, named) => {
    const attribute = args[1] ?? named.attribute
    const texts = list(value).map((item) => printed(attribute === undefined ? item : at(item, attribute)))
    const separator = printed(args[0] ?? named.d ?? '')
    bounded(texts.reduce((sum, text) => sum + text.length + separator.length, 0))
    return texts.join(separator)
  },
  last: (value) => list(value).at(-1),
  length: size,
  count: size,
  list,
  lower: (value) => printed(value).toLowerCase(),
  map: (value, args, named) => {
    if (named.attribute !== undefined)
      return list(value).map((item) => at(item, named.attribute) ?? named.default ?? null)
    const inner = filters[printed(args[0])]
    if (!inner) throw new TemplateError('syntax', `No filter named '${printed(args[0])}'.`)
    return list(value).map((item) => inner(item, args.slice(1), named))
  },
  max: (value, _, named) => ordered(value, named.attribute).at(-1),
  min: (value, _, named) => ordered(value, named.attribute)[0],
  reject: (value, args) => list(value).filter((item) => !passes(item, args)),
  rejectattr: (value, [attribute, ...test]) => list(value).filter((item) => !passes(at(item, attribute), test)),
  replace: (value, args, named) => {
    const [text, old, fresh] = [printed(value), printed(args[0] ?? named.old), printed(args[1] ?? named.new)]
    const most = args[2] ?? named.count
    const parts = text.split(old)
    const times = Math.min(parts.length - 1, typeof most === 'number' && most >= 0 ? most : Number.POSITIVE_INFINITY)
    bounded(text.length + times * fresh.length)
    return [parts.slice(0, times + 1).join(fresh), ...parts.slice(times + 1)].join(old)
  },
  reverse: (value) => (typeof value === 'string' ? [...value].reverse().join('') : [...list(value)].reverse()),
  round: (value, args, named) => {
    const factor = 10 ** count(args[0] ?? named.precision ?? 0, 'round', 0)
    const method = { ceil: Math.ceil, floor: Math.floor }[printed(args[1] ?? named.method)] ?? halfToEven
    return method(number(value, 'round') * factor) / factor
  },
  safe: (value) => value,
  select: (value, args) => list(value).filter((item) => passes(item, args)),
  selectattr: (value, [attribute, ...test]) => list(value).filter((item) => passes(at(item, attribute), test)),
  sort: (value, args, named) => {
    const sorted = ordered(value, args[2] ?? named.attribute)
    return (args[0] ?? named.reverse) ? sorted.reverse() : sorted
  },
  string: (value) => printed(value),
  striptags: (value) =>
    printed(value)
      .replace(/<[^<>]*>/g, '')
      .replace(/\s+/g, ' ')
      .trim(),
  sum: (value, args, named) => {
    const attribute = args[0] ?? named.attribute
    const items = list(value).map((item) => (attribute === undefined ? item : at(item, attribute)))
    return items.reduce<number>(
      (total, item) => total + number(item, 'sum'),
      number(args[1] ?? named.start ?? 0, 'sum'),
    )
  },
  title: (value) =>
    printed(value).replace(/[\p{L}\p{N}']+/gu, (word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase()),
  tojson: (value, args, named) => {
    const indent = args[0] ?? named.indent
    const ordered = sortedKeys(value ?? null)
    const text = indent === undefined ? pythonJson(ordered) : JSON.stringify(ordered, null, count(indent, 'tojson', 0))
    // Jinja's marks for HTML, as it writes them.
    return text.replace(/[<>&']/g, (mark) => `\\u00${mark.charCodeAt(0).toString(16)}`)
  },
  trim: (value) => printed(value).trim(),
  truncate: (value, args, named) => {
    const [text, length] = [printed(value), count(args[0] ?? named.length ?? 255, 'truncate')]
    const [whole, end] = [args[1] ?? named.killwords, printed(args[2] ?? named.end ?? '...')]
    if (text.length <= length + count(args[3] ?? named.leeway ?? 5, 'truncate', 0)) return text
    const cut = text.slice(0, Math.max(0, length - end.length))
    return (whole || !cut.includes(' ') ? cut : cut.slice(0, cut.lastIndexOf(' '))) + end
  },
  unique: (value, args, named) => {
    const attribute = args[1] ?? named.attribute
    const seen = new Map<string, unknown>()
    for (const item of list(value)) {
      const key = printed(attribute === undefined ? item : at(item, attribute)).toLowerCase()
      if (!seen.has(key)) seen.set(key, item)
    }
    return [...seen.values()]
  },
  upper: (value) => printed(value).toUpperCase(),
  urlencode: (value) =>
    typeof value === 'string'
      ? encodeURIComponent(value).replaceAll('%2F', '/')
      : Object.entries(mapping(value))
          .map(([key, item]) => `${encodeURIComponent(key)}=${encodeURIComponent(printed(item))}`)
          .join('&'),
  wordcount: (value) => printed(value).split(/\s+/).filter(Boolean).length,
} satisfies Record<string, Filter>)

function orDefault(value: unknown, args: readonly unknown[], named: Record<string, unknown>): unknown {
  const byDefault = args[0] ?? named.default_value ?? ''
  return value === undefined || ((args[1] ?? named.boolean) && !truthy(value)) ? byDefault : value
}

function escapeHtml(value: unknown): string {
  const marks: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' }
  return printed(value).replace(/[&<>"']/g, (mark) => marks[mark] ?? mark)
}

function size(value: unknown): number {
  if (typeof value === 'string') return [...value].length
  return list(value).length
}

function list(value: unknown): unknown[] {
  if (Array.isArray(value)) return value
  if (typeof value === 'string') return [...value]
  if (typeof value === 'object' && value !== null) return Object.keys(value)
  throw new TemplateError('value', `${printed(value) || 'an undefined value'} is no list`)
}

function mapping(value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new TemplateError('value', 'it is no mapping')
}

function numeric(value: unknown, byDefault: unknown): unknown {
  const read = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof read === 'boolean') return Number(read)
  return typeof read === 'number' && Number.isFinite(read) ? read : byDefault
}

/** A small whole number that says how much: widths, places, lengths. */
function count(value: unknown, filter: string, least = 1): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= 10_000) return value
  throw new TemplateError('value', `${filter} needs a whole number from ${least} to 10000`)
}

function at(item: unknown, path: unknown): unknown {
  let found = item
  for (const part of printed(path).split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, part)) return undefined
    found = (found as Record<string, unknown>)[part]
  }
  return found
}

/** Jinja's tests, by the name that `select` and its like take; without one it is Python's truth. */
function passes(value: unknown, [test, other]: readonly unknown[]): boolean {
  switch (test) {
    case undefined:
      return truthy(value)
    case 'defined':
      return value !== undefined
    case 'undefined':
      return value === undefined
    case 'none':
      return value === null
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === test
    case 'odd':
    case 'even':
      return Math.abs(number(value, test) % 2) === (test === 'odd' ? 1 : 0)
    case 'eq':
    case 'equalto':
    case '==':
      return value === other
    case 'ne':
    case '!=':
      return value !== other
    case 'gt':
    case '>':
      return compare(value, other) > 0
    case 'lt':
    case '<':
      return compare(value, other) < 0
    case 'in':
      return list(other).includes(value)
    default:
      throw new TemplateError('syntax', `No test named '${printed(test)}'.`)
  }
}

function ordered(value: unknown, attribute: unknown): unknown[] {
  const key = (item: unknown) => (attribute === undefined || attribute === null ? item : at(item, attribute))
  return [...list(value)].sort((a, b) => compare(key(a), key(b)))
}

/** What Python counts as true. */
function truthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0
  return Boolean(value)
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') {
    const [one, other] = [a.toLowerCase(), b.toLowerCase()]
    return one < other ? -1 : one > other ? 1 : 0
  }
  return number(a, 'sort') - number(b, 'sort')
}

/** Keys in order, on all levels, as Jinja writes JSON. */
function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(entries.map(([key, item]) => [key, sortedKeys(item)]))
}
