import { isMapping, parseVariables, pythonText, pythonTypeName } from '../model/variables.ts'
import type { ChoiceField, Field, IntegerField, JsonField, ScalarField, StringField } from './field.ts'

/** A field's value was read (`value` is what is stored), or refused with DRF's text. */
export type Checked = { ok: true; value: unknown } | { ok: false; message: string }

const good = (value: unknown): Checked => ({ ok: true, value })
const bad = (message: string): Checked => ({ ok: false, message })

/** Reads one value of a body as DRF's field of that kind does; texts are AWX's. */
export function checkField(field: Field, value: unknown): Checked {
  if (value === null) return checkNull(field)
  switch (field.kind) {
    case 'string':
      return checkString(field, value)
    case 'secret':
      return checkString({ ...field, kind: 'string', verbatim: true }, value)
    case 'integer':
      return checkInteger(field, value)
    case 'boolean':
      return checkBoolean(value)
    case 'choice':
      return checkChoice(field, value)
    case 'id':
      return checkId(field.required ?? false, value)
    case 'json':
      return checkJson(field, value)
    case 'datetime':
      return checkInstant(value)
    case 'float':
    case 'decimal':
      return checkNumber(field, value)
    case 'computed':
      return bad('This field is read-only.')
  }
}

/** AWX turns null of text and boolean fields into '' and false; a required text is then missing. */
function checkNull(field: Field): Checked {
  if (field.nullable) return good(null)
  switch (field.kind) {
    case 'id':
      return field.required ? bad('This field may not be null.') : good(null)
    case 'boolean':
      return good(false)
    case 'string':
    case 'secret':
      return field.required && !field.blank ? bad('This field cannot be blank.') : good('')
    case 'choice':
      return acceptsBlank(field) ? good('') : bad('This field cannot be blank.')
    case 'json':
      return field.holds === 'variables' ? good('') : bad('This field may not be null.')
    default:
      return bad('This field may not be null.')
  }
}

function checkString(field: StringField, value: unknown): Checked {
  if (typeof value !== 'string' && typeof value !== 'number') return bad('Not a valid string.')
  const text = field.verbatim ? String(value) : String(value).trim()
  if (text.includes('\0')) return bad('Null characters are not allowed.')
  if (text === '' && !(field.blank ?? !field.required)) return bad('This field may not be blank.')
  if (field.maxLength !== undefined && [...text].length > field.maxLength) {
    return bad(`Ensure this field has no more than ${field.maxLength} characters.`)
  }
  if (field.format === 'email' && text !== '' && !/^[^\s@]+@[^\s@]+\.[^\s@.]+$/.test(text)) {
    return bad('Enter a valid email address.')
  }
  if (field.format === 'username' && !/^[\w.@+-]+$/.test(text)) {
    return bad('Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.')
  }
  return good(text)
}

function checkInteger(field: IntegerField, value: unknown): Checked {
  const number = readNumber(value, /^\s*[+-]?\d+(\.0*)?\s*$/)
  if (!Number.isInteger(number)) return bad('A valid integer is required.')
  return inRange(number, field.min ?? -2147483648, field.max ?? 2147483647)
}

/** A number, or a text that reads like one; NaN for everything else, which need not even be convertible. */
function readNumber(value: unknown, readable: RegExp): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' && readable.test(value) ? Number(value) : Number.NaN
}

function inRange(number: number, min: number, max: number): Checked {
  if (number > max) return bad(`Ensure this value is less than or equal to ${max}.`)
  if (number < min) return bad(`Ensure this value is greater than or equal to ${min}.`)
  return good(number)
}

const yes = new Set<unknown>([true, 1, 't', 'y', 'yes', 'true', 'on', '1'])
const no = new Set<unknown>([false, 0, 'f', 'n', 'no', 'false', 'off', '0'])

function checkBoolean(value: unknown): Checked {
  const plain = typeof value === 'string' ? value.trim().toLowerCase() : value
  if (yes.has(plain)) return good(true)
  return no.has(plain) ? good(false) : bad('Must be a valid boolean.')
}

/** All choices there are; where writes offer fewer, the resource's own rules refuse the others in AWX's words. */
function offered(field: ChoiceField) {
  return typeof field.choices === 'function' ? field.choices('GET') : field.choices
}

function acceptsBlank(field: ChoiceField): boolean {
  return field.blank === true || offered(field).some(([value]) => value === '')
}

function checkChoice(field: ChoiceField, value: unknown): Checked {
  if (value === '' && acceptsBlank(field)) return good('')
  const text = pythonText(value)
  const choice = offered(field).find(([offer]) => offer !== null && String(offer) === text)
  return choice ? good(choice[0]) : bad(`"${text}" is not a valid choice.`)
}

function checkId(required: boolean, value: unknown): Checked {
  if (value === '') return required ? bad('This field may not be null.') : good(null)
  const id = readNumber(value, /^\d+$/)
  if (!Number.isInteger(id)) {
    return bad(`Incorrect type. Expected pk value, received ${pythonTypeName(value)}.`)
  }
  return good(id)
}

function checkJson(field: JsonField, value: unknown): Checked {
  switch (field.holds ?? 'object') {
    case 'any':
      return good(value)
    case 'list':
      return Array.isArray(value)
        ? good(value)
        : bad(`Expected a list of items but got type "${pythonTypeName(value)}".`)
    case 'object':
      return isMapping(value)
        ? good(value)
        : bad(`Expected a dictionary of items but got type "${pythonTypeName(value)}".`)
    case 'variables': {
      const parsed = parseVariables(value)
      if (!parsed.ok) return bad(parsed.message)
      if (typeof value === 'string' && value.includes('\0')) return bad('Null characters are not allowed.')
      return good(typeof value === 'string' ? value : JSON.stringify(value))
    }
  }
}

function checkInstant(value: unknown): Checked {
  if (typeof value !== 'string' || Number.isNaN(Date.parse(value))) {
    return bad(
      'Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].',
    )
  }
  return good(value)
}

function checkNumber({ min = -Infinity, max = Infinity }: ScalarField, value: unknown): Checked {
  const number = typeof value === 'number' ? value : readNumber(value, /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/)
  return Number.isFinite(number) ? inRange(number, min, max) : bad('A valid number is required.')
}
