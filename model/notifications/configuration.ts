import { isMapping, pythonText } from '../variables.ts'
import { type ConfigurationField, typeDescriptions } from './fields.ts'
import type { NotificationType } from './types.ts'

/** A configuration with AWX's defaults filled in, and what is wrong with it, in AWX's words where AWX has any. */
export interface CheckedConfiguration {
  configuration: Record<string, unknown>
  errors: string[]
}

/** Checks a `notification_configuration` for a type; keys that AWX does not know are kept, as it keeps them. */
export function checkConfiguration(type: NotificationType, given: Record<string, unknown>): CheckedConfiguration {
  const { fields, optional, urls } = typeDescriptions[type]
  const configuration = { ...given }
  const errors: string[] = []
  const missing: string[] = []
  const ofWrongType: string[] = []
  for (const [name, field] of Object.entries(fields)) {
    if (configuration[name] === undefined) {
      if (field.default === undefined) missing.push(name)
      else configuration[name] = field.default
      continue
    }
    const value = configuration[name]
    if (!isOfType(field.type, value)) ofWrongType.push(wrongType(name, field.type))
    else if (Array.isArray(value) && value.length === 0) errors.push(`No values specified for field '${name}'`)
    else errors.push(...fieldErrors(name, field, value, urls))
  }
  for (const [name, { type: expected }] of Object.entries(optional)) {
    const value = configuration[name]
    const fits = value === undefined || value === null || isOfType(expected, value)
    if (!fits && !(expected === 'int' && /^\d+$/.test(pythonText(value)))) ofWrongType.push(wrongType(name, expected))
  }
  if (missing.length > 0) errors.push(`Missing required fields for Notification Configuration: ${pythonText(missing)}.`)
  if (configuration.use_tls === true && configuration.use_ssl === true)
    errors.push("Configuration fields 'use_tls' and 'use_ssl' exclude each other.")
  return { configuration, errors: [...errors, ...ofWrongType] }
}

function wrongType(name: string, expected: string): string {
  return `Configuration field '${name}' incorrect type, expected ${expected}.`
}

function isOfType(type: ConfigurationField['type'], value: unknown): boolean {
  switch (type) {
    case 'string':
    case 'password':
      return typeof value === 'string'
    case 'int':
      return Number.isSafeInteger(value)
    case 'bool':
      return typeof value === 'boolean'
    case 'list':
      return Array.isArray(value)
    case 'object':
      return isMapping(value)
  }
}

/** What AWX finds out at the first delivery only, or never. */
function fieldErrors(name: string, field: ConfigurationField, value: unknown, urls: readonly string[]): string[] {
  if (name === 'http_method' && !['put', 'post'].includes(String(value).toLowerCase()))
    return ["HTTP method must be either 'POST' or 'PUT'."]
  if (urls.includes(name) && !isHttpUrl(String(value)))
    return [`Configuration field '${name}' must be a URL that begins with http:// or https://.`]
  if (name === 'port' && (Number(value) < 1 || Number(value) > 65535))
    return [`Configuration field '${name}' must be from 1 to 65535.`]
  if (name === 'timeout' && (Number(value) < 1 || Number(value) > 120))
    return [`Configuration field '${name}' must be from 1 to 120 seconds.`]
  if (field.type === 'list' && (value as unknown[]).some((item) => typeof item !== 'string' || item.trim() === ''))
    return [`Configuration field '${name}' must hold texts only.`]
  if (name === 'headers' && !Object.entries(value as object).every(isHeader))
    return [`Configuration field '${name}' must hold names and values of HTTP headers, as texts.`]
  return []
}

function isHttpUrl(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text)
}

/** RFC 9110: a token, and visible characters. */
function isHeader([name, value]: [string, unknown]): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name) && typeof value === 'string' && /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
}
