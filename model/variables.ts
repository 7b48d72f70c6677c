import { dataBeyondLimits } from './data-limits.ts'
import { parseYaml } from './yaml.ts'

/** Variables of a template, inventory, host, group or launch, parsed. */
export type Variables = Record<string, unknown>

/** Variables, or why a text is none. */
export type ParsedVariables = { ok: true; value: Variables } | { ok: false; message: string }

/**
 * Reads variables as AWX does: JSON first, then YAML 1.1; the result must be a mapping, nothing counts as an empty one. The message of a
 * failure is AWX's, with the parsers' own words inside.
 */
export function parseVariables(source: unknown): ParsedVariables {
  if (isMapping(source)) return { ok: true, value: source }
  if (source === null || source === undefined || source === '' || source === '""') return { ok: true, value: {} }
  if (typeof source !== 'string') {
    const type = pythonTypeName(source)
    return cannotParse(
      `the JSON object must be str, bytes or bytearray, not ${type}`,
      `'${type}' object has no attribute 'read'`,
    )
  }
  const json = readJson(source)
  if (json.ok && isMapping(json.value)) return { ok: true, value: json.value }
  const jsonError = json.ok ? notMapping(json.value) : json.message
  const yaml = readYaml(source)
  if (!yaml.ok) return cannotParse(jsonError, yaml.message)
  if (yaml.value === null || yaml.value === undefined) return { ok: true, value: {} }
  if (!isMapping(yaml.value)) return cannotParse(jsonError, notMapping(yaml.value))
  return { ok: true, value: yaml.value }
}

/** Variables that were checked when they were stored; text that no longer parses counts as none. */
export function storedVariables(source: unknown): Variables {
  const parsed = parseVariables(source)
  return parsed.ok ? parsed.value : {}
}

/** Joins variables key by key, later sets win; AWX never merges nested mappings. */
export function mergeVariables(...sets: (Variables | undefined)[]): Variables {
  return Object.assign({}, ...sets)
}

/** JSON text as Python's json.dumps writes it (`{"a": 1, "b": [1, 2]}`), which is what clients see in a job's extra_vars. */
export function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`
  if (isMapping(value)) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined)
    return `{${entries.map(([key, item]) => `${asciiJson(key)}: ${pythonJson(item)}`).join(', ')}}`
  }
  return asciiJson(value ?? null)
}

/** The name Python gives a JSON value's type, as AWX's messages show it. */
export function pythonTypeName(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType'
  if (typeof value === 'string') return 'str'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float'
  return Array.isArray(value) ? 'list' : 'dict'
}

/** A value as Python's str() shows it inside a message: `['a', 'b']`, `True`, `None`; a text stays as it is. */
export function pythonText(value: unknown): string {
  return typeof value === 'string' ? value : pythonRepr(value)
}

function pythonRepr(value: unknown): string {
  if (typeof value === 'string') return value.includes("'") && !value.includes('"') ? `"${value}"` : `'${value}'`
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (value === null || value === undefined) return 'None'
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(', ')}]`
  if (isMapping(value)) {
    return `{${Object.entries(value)
      .map(([key, item]) => `${pythonRepr(key)}: ${pythonRepr(item)}`)
      .join(', ')}}`
  }
  return String(value)
}

/** True for a plain mapping: neither null, nor a list, nor a date. */
export function isMapping(value: unknown): value is Variables {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

const notMapping = (value: unknown) => `Input type \`${pythonTypeName(value)}\` is not a dictionary`

const cannotParse = (jsonError: string, yamlError: string): ParsedVariables => ({
  ok: false,
  message: `Cannot parse as JSON (error: ${jsonError}) or YAML (error: ${yamlError}).`,
})

type Read = { ok: true; value: unknown } | { ok: false; message: string }

function readJson(text: string): Read {
  try {
    const value: unknown = JSON.parse(text)
    const beyond = dataBeyondLimits(value)
    return beyond === undefined ? { ok: true, value } : { ok: false, message: beyond }
  } catch (error) {
    // Python's reader names the first character that starts no value; V8 words the rest in its own way.
    const startsValue = /^\s*["[{\-0-9]|^\s*(true|false|null)/.test(text)
    return {
      ok: false,
      message: startsValue && error instanceof Error ? error.message : 'Expecting value: line 1 column 1 (char 0)',
    }
  }
}

function readYaml(text: string): Read {
  const parsed = parseYaml(text)
  if (parsed.ok || !parsed.place) return parsed
  const { line, column } = parsed.place
  return { ok: false, message: `${parsed.message} at line ${line}, column ${column}` }
}
