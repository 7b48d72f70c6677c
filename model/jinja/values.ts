import { TemplateError } from './errors.ts'
import { Environment, type Value } from './library.ts'

/** Longest text that a template may make, in characters. */
export const longestText = 4_000_000
/** Most elements that one value may hold, all levels taken together. */
export const mostElements = 100_000

/** What one rendering may cost, counted in characters that are handled; everything else is worth some of these. */
export class Budget {
  #left: number

  constructor(characters: number) {
    this.#left = characters
  }

  /** Throws TemplateError when nothing is left. */
  spend(characters: number): void {
    this.#left -= characters
    if (this.#left < 0) throw new TemplateError('limit', 'it takes too much work')
  }
}

/** What an element of a list or mapping is worth. */
const elementCost = 50

/** A value of the interpreter from a plain one. */
export function wrap(plain: unknown): Value {
  return new Environment().set('value', plain)
}

/** The plain value of one of the interpreter's; mappings have no prototype. Throws TemplateError where it is too large. */
export function unwrap(value: Value, budget: Budget): unknown {
  let left = mostElements
  const plain = (inner: Value | undefined): unknown => {
    left -= 1
    budget.spend(elementCost)
    if (left < 0) throw new TemplateError('limit', 'a value has too many elements')
    switch (inner?.type) {
      case 'StringValue':
        budget.spend((inner.value as string).length)
        return inner.value
      case 'ArrayValue':
      case 'TupleValue':
        return (inner.value as Value[]).map(plain)
      case 'ObjectValue':
      case 'NamespaceValue':
      case 'KeywordArgumentsValue': {
        const mapping = Object.create(null) as Record<string, unknown>
        for (const [key, item] of inner.value as Map<string, Value>) mapping[key] = plain(item)
        return mapping
      }
      case 'NullValue':
        return null
      case 'FunctionValue':
        throw new TemplateError('value', 'a function is no value')
      default:
        return inner?.value
    }
  }
  return plain(value)
}

/** A plain value as Jinja prints it, which is Python's str(): `None`, `True`, `{'a': 1}`; nothing at all for what is undefined. */
export function printed(plain: unknown): string {
  if (typeof plain === 'string') return plain
  return plain === undefined ? '' : represented(plain)
}

function represented(plain: unknown): string {
  if (plain === null) return 'None'
  if (plain === undefined) return 'Undefined'
  if (typeof plain === 'boolean') return plain ? 'True' : 'False'
  if (typeof plain === 'string') return quoted(plain)
  if (Array.isArray(plain)) return `[${plain.map(represented).join(', ')}]`
  if (typeof plain === 'object') {
    const entries = Object.entries(plain).map(([key, item]) => `${quoted(key)}: ${represented(item)}`)
    return `{${entries.join(', ')}}`
  }
  return String(plain)
}

function quoted(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')
  return escaped.includes("'") && !escaped.includes('"') ? `"${escaped}"` : `'${escaped.replaceAll("'", "\\'")}'`
}
