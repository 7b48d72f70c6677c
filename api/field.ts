import type { RequestContext, Row } from './context.ts'

/** One value and its text, as OPTIONS publishes it. */
export type Choice = [value: string | number | null, label: string]

/** What every kind of field may say. Names on the wire are snake case; the key in `fields` is that name. */
interface FieldBase {
  /** OPTIONS label; default: the wire name as words (`max_hosts` → `Max hosts`). */
  label?: string
  /** OPTIONS help text. */
  help?: string
  /** Key of the Drizzle table; default: the wire name in camel case, with `Id` behind it for kind `id`. `null`: not stored as such. */
  column?: string | null
  /** Never taken from a body: dropped silently, and absent from OPTIONS POST/PUT. */
  readOnly?: boolean
  /** Taken from a body, never shown. */
  writeOnly?: boolean
  /** Of a `writeOnly` id: its link and its summary are shown all the same. */
  summarized?: boolean
  /** Must be in a POST and PUT body. */
  required?: boolean
  /** Settable by POST only: later writes ignore it, and PUT's OPTIONS still show it. */
  createOnly?: boolean
  /** OPTIONS `default`, and what PUT resets an omitted field to. Where absent, a column's own default is used. */
  default?: unknown
  /** May be null on the wire. Kind `id` is nullable unless required; other kinds turn null into ''/false as AWX does, unless this is set. */
  nullable?: boolean
  /** OPTIONS `filterable` and whether lists filter by it. Default: true where there is a column. */
  filterable?: boolean
  /** Filtering answers 403 `Filtering on x is not allowed.` although the column exists; `encrypted`: AWX's wording for documents with secrets. */
  unsearchable?: boolean | 'encrypted'
  /** Left out of list rows (AWX: job_args, result_traceback, …); OPTIONS of the list leaves it out too. */
  detailOnly?: boolean
  /** Further OPTIONS keys of this field that no rule gives, such as `child` or `category`. */
  options?: Record<string, unknown>
}

/** A text. */
export interface StringField extends FieldBase {
  kind: 'string'
  maxLength?: number
  /** '' is accepted. Default: not where required. */
  blank?: boolean
  /** Keep leading and trailing white space, which AWX trims elsewhere. */
  verbatim?: boolean
  /** Checked on write: `email` "Enter a valid email address." or `username` (letters, digits and @.+-_). */
  format?: 'email' | 'username'
}
/** A whole number. */
export interface IntegerField extends FieldBase {
  kind: 'integer'
  min?: number
  max?: number
}
/** True or false. */
export interface BooleanField extends FieldBase {
  kind: 'boolean'
}
/** One of several values. */
export interface ChoiceField extends FieldBase {
  kind: 'choice'
  /** A function where what is offered depends on the method (credential types offer net and cloud only on writes). */
  choices: readonly Choice[] | ((method: 'GET' | 'POST' | 'PUT') => readonly Choice[])
  /** '' is accepted although no choice names it. */
  blank?: boolean
}
/** A foreign key. */
export interface IdField extends FieldBase {
  kind: 'id'
  /** `name` of the resource it points to. Gives the filter span, the related link and the summary_fields entry. */
  to: string
}
/** A JSON document, or variables. */
export interface JsonField extends FieldBase {
  kind: 'json'
  /**
   * What the body may hold: an object (default), a list, `any` (the resource's own `validate` decides), or `variables`: a JSON/YAML text of a
   * mapping, kept as the user wrote it; a mapping itself is kept as JSON text.
   */
  holds?: 'object' | 'list' | 'variables' | 'any'
}
/** An instant, or a number with a fraction; mostly set by the server. */
export interface ScalarField extends FieldBase {
  kind: 'datetime' | 'float' | 'decimal'
  /** Of numbers. */
  min?: number
  max?: number
}
/** A secret that is never shown: reads `$encrypted$`, `$encrypted$` on write keeps the stored value. Stored by the resource's `prepare`. */
export interface SecretField extends FieldBase {
  kind: 'secret'
  maxLength?: number
  blank?: boolean
}
/**
 * Read-only value worked out from rows, for all rows of a page at once, so that a list costs a fixed number of queries.
 * `values` returns one value per row, in the order of the rows; `undefined` leaves the key out of that row.
 */
export interface ComputedField extends FieldBase {
  kind: 'computed'
  /** OPTIONS type: field, integer, boolean, object, … */
  type: string
  values(rows: readonly Row[], context: RequestContext): Promise<unknown[]> | unknown[]
}

/** A field of a resource, by its kind. */
export type Field =
  | StringField
  | IntegerField
  | BooleanField
  | ChoiceField
  | IdField
  | JsonField
  | ScalarField
  | SecretField
  | ComputedField

/** The `name` field most resources share: required, up to 512 characters. */
export function nameField(maxLength = 512): StringField {
  return { kind: 'string', required: true, maxLength }
}

/** The optional `description` most resources share. */
export function descriptionField(): StringField {
  return { kind: 'string', default: '' }
}

/** A computed field whose value follows from its own row alone. */
export function derived(type: string, value: (row: Row) => unknown, more: Partial<FieldBase> = {}): ComputedField {
  return { kind: 'computed', type, filterable: false, values: (rows) => rows.map(value), ...more }
}
