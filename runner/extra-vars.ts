import { isDeepStrictEqual } from 'node:util'
import { isMapping } from '../model/variables.ts'

/**
 * Extra vars as YAML for `-e @file`. As in AWX, a top-level value that equals the template's own may hold Jinja; texts in any other value, given
 * at launch by somebody who may only execute, are marked `!unsafe` so that Ansible never evaluates them.
 */
export function extraVarsYaml(vars: Record<string, unknown>, trusted: Record<string, unknown>): string {
  const lines = Object.entries(vars)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => {
      const isTrusted = Object.hasOwn(trusted, key) && isDeepStrictEqual(trusted[key], value)
      return pair(key, value, isTrusted ? '' : '!unsafe ')
    })
  return `{${lines.join(',\n ')}}\n`
}

/** Flow style: JSON's syntax is YAML's, tags may stand before any text, and no indentation can go wrong. */
function yaml(value: unknown, tag: string): string {
  if (typeof value === 'string') return tag + quoted(value)
  if (typeof value === 'number') return number(value)
  if (typeof value === 'boolean') return String(value)
  if (Array.isArray(value)) return `[${value.map((item) => yaml(item, tag)).join(', ')}]`
  if (isMapping(value)) {
    const pairs = Object.entries(value).filter(([, item]) => item !== undefined)
    return `{${pairs.map(([key, item]) => pair(key, item, tag)).join(', ')}}`
  }
  return 'null'
}

/** YAML's short form of a pair allows keys up to 1024 characters only. */
function pair(key: string, value: unknown, tag: string): string {
  const name = tag + quoted(key)
  return `${name.length > 1000 ? `? ${name} ` : name}: ${yaml(value, tag)}`
}

/** Double quotes with everything escaped that YAML 1.1 does not take as it is, or would take for a line end. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\u00a0\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** YAML 1.1 takes `1e+21` for a text: a float has a point. */
function number(value: number): string {
  if (Number.isNaN(value)) return '.nan'
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf'
  const text = String(value)
  return text.includes('e') && !text.includes('.') ? text.replace('e', '.0e') : text
}
