import { pythonJson } from './variables.ts'

/** A number whose digits JavaScript would not keep, such as 1.0 or an id of 19 digits; written as it was read. */
class ExactNumber {
  readonly source: string
  constructor(source: string) {
    this.source = source
  }
}

interface Context {
  source?: string
}

const parseWithSource = JSON.parse as (
  text: string,
  reviver: (key: string, value: unknown, context: Context) => unknown,
) => unknown

/** Where a number may stand that loses by reading. Also true for some texts within texts, which costs time only. */
const delicateNumber = /[:,[]\s*-?(\d{16}|\d+\.\d|\d+[eE])/

/** Reads JSON and keeps every number as it was written. Throws SyntaxError. */
export function readExactJson(text: string): unknown {
  // Most documents have no such number, and are read many times faster.
  if (!delicateNumber.test(text) && !/^\s*-?\d/.test(text)) return JSON.parse(text)
  return parseWithSource(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? new ExactNumber(source) : value,
  )
}

/** Writes what readExactJson read as Python would. */
export function writeExactJson(value: unknown): string {
  if (value instanceof ExactNumber) return value.source
  if (Array.isArray(value)) return `[${value.map(writeExactJson).join(', ')}]`
  if (typeof value !== 'object' || value === null) return pythonJson(value)
  const pairs = Object.entries(value).map(([key, item]) => `${pythonJson(key)}: ${writeExactJson(item)}`)
  return `{${pairs.join(', ')}}`
}

/** A value as Python's str() shows it, for comparing with what a user wrote. */
export function exactText(value: unknown): string {
  if (value instanceof ExactNumber) return value.source
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return value === null || value === undefined ? 'None' : writeExactJson(value)
}
