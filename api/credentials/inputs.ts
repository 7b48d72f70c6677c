import { encrypted } from '../../model/encrypted.ts'
import { isMapping, pythonText, pythonTypeName } from '../../model/variables.ts'
import type { CredentialField } from '../../store/managed-credential-types.ts'
import { credentialContext, isSealed, type Keyring, open, reservedBeginning, seal } from '../../store/secrets.ts'
import { ValidationError } from '../errors.ts'
import { typeFields, unexpected } from './type-schema.ts'

type Inputs = Record<string, unknown>

/** Asked for at launch instead of stored; AWX keeps this word as it is. */
const ask = 'ASK'

/** Checks a credential's inputs against its type; texts as recorded. `stored` are those it has, for values that are kept. */
export function checkInputs(type: unknown, inputs: unknown, stored: Inputs | undefined): Inputs {
  if (!isMapping(inputs)) throw ValidationError.on('inputs', `${pythonTypeName(inputs)} provided, expected dict`)
  const fields = typeFields(type)
  const extra = unexpected(inputs, new Set(fields.map((field) => field.id)))
  if (extra) throw ValidationError.on('inputs', extra)
  const complaints: Record<string, string[]> = {}
  for (const field of fields) {
    const value = inputs[field.id]
    if (value === undefined) continue
    if (field.secret && value === encrypted) {
      if (stored?.[field.id] !== undefined) continue
      throw ValidationError.on('inputs', `${encrypted} is a reserved keyword, and cannot be used for ${field.id}.`)
    }
    const complaint = complaintOf(field, value)
    if (complaint) complaints[field.id] = [complaint]
  }
  if (Object.keys(complaints).length > 0) throw new ValidationError({ inputs: complaints })
  return inputs
}

function complaintOf(field: CredentialField, value: unknown): string | undefined {
  if (typeof value !== field.type) return `${quoted(value)} is not of type '${field.type}'`
  if (typeof value !== 'string' || value === '' || (field.ask_at_runtime && value === ask)) return undefined
  // The database's texts hold none.
  if (value.includes('\0')) return 'Null characters are not allowed.'
  if (field.choices && !field.choices.includes(value)) return `${quoted(value)} is not one of ${quoted(field.choices)}`
  if (isSealed(value as unknown)) return reservedBeginning
  if (field.format === 'ssh_private_key' && !hasKeyBlock(value)) {
    return `Invalid certificate or key: ${value.slice(0, 100)}...`
  }
  if (field.format === 'vault_id' && value.includes('@')) return '@ is not an allowed character'
  if (field.format === 'url' && !/^https?:\/\//.test(value))
    return 'Invalid URL: Missing url scheme (http, https, etc.)'
  return undefined
}

/** Two searches: one expression over both marks would take the square of the text's length. */
function hasKeyBlock(text: string): boolean {
  const begin = /-----BEGIN [A-Z ]*PRIVATE KEY-----/.exec(text)
  return begin !== null && text.includes('-----END ', begin.index + begin[0].length + 1)
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : pythonText(value)
}

/** Inputs as they are stored: secrets sealed for this credential, `$encrypted$` replaced by what is there. */
export function sealInputs(
  keyring: Keyring,
  credentialId: number,
  type: unknown,
  inputs: Inputs,
  stored: Inputs,
): Inputs {
  const secret = new Map(
    typeFields(type)
      .filter((field) => field.secret)
      .map((field) => [field.id, field]),
  )
  return Object.fromEntries(
    Object.entries(inputs).map(([id, value]) => {
      const field = secret.get(id)
      if (!field || typeof value !== 'string' || value === '') return [id, value]
      if (value === encrypted) return [id, stored[id]]
      return field.ask_at_runtime && value === ask
        ? [id, value]
        : [id, seal(keyring, value, credentialContext(credentialId, id))]
    }),
  )
}

/** Inputs of one credential sealed anew for its copy. */
export function resealInputs(keyring: Keyring, from: number, to: number, inputs: Inputs): Inputs {
  return Object.fromEntries(
    Object.entries(inputs).map(([id, value]) => [
      id,
      isSealed(value)
        ? seal(keyring, open(keyring, value, credentialContext(from, id)), credentialContext(to, id))
        : value,
    ]),
  )
}

/** Inputs as they are shown: no secret, not even a sealed one. */
export function maskInputs(inputs: Inputs): Inputs {
  return Object.fromEntries(Object.entries(inputs).map(([id, value]) => [id, isSealed(value) ? encrypted : value]))
}
