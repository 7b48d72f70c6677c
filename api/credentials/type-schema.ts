import { isMapping } from '../../model/variables.ts'
import type { CredentialField, CredentialInputs } from '../../store/managed-credential-types.ts'

/** Ids that a custom type's field may not have, because templates already use them. */
const reservedIds = new Set(['tower'])

const fieldKeys = new Set([
  'id',
  'type',
  'format',
  'label',
  'help_text',
  'choices',
  'default',
  'multiline',
  'secret',
  'ask_at_runtime',
])

/** What is wrong with a custom type's `inputs`, in AWX's words where recorded; undefined when nothing is. */
export function inputsComplaint(inputs: unknown): string | undefined {
  if (!isMapping(inputs)) return 'must be an object'
  const extra = unexpected(inputs, new Set(['fields', 'required', 'dependencies', 'metadata']))
  if (extra) return `Schema validation error in relative path [] (${extra})`
  const fields = inputs.fields ?? []
  if (!Array.isArray(fields)) return 'fields must be a list'
  const ids = new Set<string>()
  for (const field of fields) {
    const complaint = fieldComplaint(field, ids)
    if (complaint) return complaint
  }
  const required = inputs.required ?? []
  if (!Array.isArray(required)) return 'required must be a list'
  const missing = required.find((id) => !ids.has(String(id)))
  return missing === undefined ? undefined : `${String(missing)} is required but no field has this id`
}

function fieldComplaint(field: unknown, ids: Set<string>): string | undefined {
  if (!isMapping(field)) return 'every field must be an object'
  for (const key of ['id', 'label'])
    if (typeof field[key] !== 'string' || field[key] === '') return `'${key}' is a required property`
  const id = String(field.id)
  if (!/^[a-zA-Z_]\w*$/.test(id)) return `${id} does not match '^[a-zA-Z_]+[a-zA-Z0-9_]*$'`
  if (reservedIds.has(id)) return `"${id}" is a reserved field name`
  if (ids.has(id)) return `${id} is used by more than one field`
  ids.add(id)
  const extra = unexpected(field, fieldKeys)
  if (extra) return extra
  const type = field.type ?? 'string'
  if (type !== 'string' && type !== 'boolean') return `'${String(type)}' is not one of ['string', 'boolean']`
  if (field.choices !== undefined && !Array.isArray(field.choices)) return `choices of ${id} must be a list`
  return undefined
}

/** What is wrong with `injectors`: they may only use fields of the type. */
export function injectorsComplaint(inputs: unknown, injectors: unknown): string | undefined {
  if (!isMapping(injectors)) return 'must be an object'
  const extra = unexpected(injectors, new Set(['env', 'extra_vars', 'file']))
  if (extra) return `Schema validation error in relative path [] (${extra})`
  const known = new Set(typeFields(inputs).map((field) => field.id))
  const files = Object.keys(isMapping(injectors.file) ? injectors.file : {})
  for (const section of Object.values(injectors)) {
    if (!isMapping(section)) return 'every section must be an object'
    for (const [key, template] of Object.entries(section)) {
      const names = [...JSON.stringify(template).matchAll(/\{\{\s*([\w.]+)/g)].map(([, name = '']) => name)
      const unknown = names.find((name) => !known.has(name) && !isFileName(name, files))
      if (unknown !== undefined) return `${key} uses an undefined field ('${unknown}' is undefined)`
    }
  }
  return undefined
}

/** `tower.filename` or `tower.filename.<name>`: path of a file that the type makes. */
function isFileName(name: string, files: readonly string[]): boolean {
  if (!name.startsWith('tower.filename')) return false
  const [, , file] = name.split('.')
  return file === undefined ? files.includes('template') : files.includes(`template.${file}`)
}

/** The fields of a stored type; `string` is the type of those that say none. */
export function typeFields(inputs: unknown): CredentialField[] {
  const { fields } = (isMapping(inputs) ? inputs : {}) as Partial<CredentialInputs>
  return (Array.isArray(fields) ? fields : []).map((field) => ({ ...field, type: field.type ?? 'string' }))
}

/** JSON schema's words for keys that nothing describes. */
export function unexpected(value: Record<string, unknown>, known: ReadonlySet<string>): string | undefined {
  const keys = Object.keys(value)
    .filter((key) => !known.has(key))
    .sort()
  if (keys.length === 0) return undefined
  const names = keys.map((key) => `'${key}'`).join(', ')
  return `Additional properties are not allowed (${names} ${keys.length === 1 ? 'was' : 'were'} unexpected)`
}
