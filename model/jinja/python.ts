import { TemplateError } from './errors.ts'
import { longestText, mostElements, printed } from './values.ts'

/** Python's `*` of a text and a number. */
export function repeated(text: string, times: number): string {
  bounded(text.length * times)
  return text.repeat(Math.max(0, Math.trunc(times)))
}

/** Python's `%` of a text: `%s`, `%r`, `%d`, `%i`, `%f`, `%.2f` and `%%`. */
export function formatted(text: string, args: readonly unknown[]): string {
  let next = 0
  let length = text.length
  const shown = (part: string) => {
    length += part.length
    bounded(length)
    return part
  }
  return text.replace(/%(?:\.(\d{1,2}))?([srdif%])/g, (_, digits: string | undefined, kind: string) => {
    if (kind === '%') return '%'
    if (next >= args.length) throw new TemplateError('value', 'not enough arguments for the format')
    const value = args[next++]
    if (kind === 's' || kind === 'r') return shown(printed(value))
    return kind === 'f' ? number(value, '%f').toFixed(Number(digits ?? 6)) : String(Math.trunc(number(value, '%d')))
  })
}

/** Python's round(). */
export function halfToEven(value: number): number {
  const low = Math.floor(value)
  return value - low === 0.5 ? low + (Math.abs(low) % 2) : Math.round(value)
}

/** Python's range(), which a template may ask for. */
export function range(...bounds: number[]): number[] {
  const [start, stop, step] =
    bounds.length < 2 ? [0, bounds[0] ?? 0, 1] : [bounds[0] ?? 0, bounds[1] ?? 0, bounds[2] ?? 1]
  const length = step === 0 ? Number.NaN : Math.max(0, Math.ceil((stop - start) / step))
  if (!(length <= mostElements / 10)) throw new TemplateError('limit', 'range() has too many elements')
  return Array.from({ length }, (_, index) => start + index * step)
}

/** A number for what needs one; Python's booleans are numbers. */
export function number(value: unknown, filter: string): number {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return Number(value)
  throw new TemplateError('value', `${filter} needs numbers`)
}

/** Throws TemplateError where a text would be longer than a template may make one. */
export function bounded(length: number): void {
  if (length > longestText) throw new TemplateError('limit', 'a text is too long')
}
