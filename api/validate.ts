import { eq, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { encrypted } from '../model/encrypted.ts'
import { preparedOn } from '../store/prepared.ts'
import type { RequestContext, Row } from './context.ts'
import { type FieldErrors, ValidationError } from './errors.ts'
import type { Model, ModelField } from './registry.ts'
import type { WriteCheck } from './resource.ts'
import { checkUnique } from './unique.ts'
import { checkField } from './validate-field.ts'
import { wireValue } from './wire-value.ts'

type Body = Record<string, unknown>
/** Methods that write a body. */
export type WriteMethod = 'POST' | 'PUT' | 'PATCH'

/** Wire names that every object has and nobody sets. */
const implicit = new Set(['id', 'type', 'url', 'related', 'summary_fields', 'created', 'modified'])

/** Header that names the keys of a body which no field has: AWX ignores them silently, its clients send some. */
export function unknownFieldsHeader(model: Model, body: Body): Record<string, string> {
  const unknown = Object.keys(body).filter((key) => !implicit.has(key) && !model.field(key))
  if (unknown.length === 0) return {}
  // Headers have limits, bodies need not.
  const named = unknown.slice(0, 20).map((key) => encodeURIComponent(key.slice(0, 100)))
  return { 'X-API-Unknown-Fields': named.join(', ') }
}

/**
 * Checks a body against the description: fields one by one, then references, the resource's own rules, then uniqueness.
 * Throws ValidationError with every complaint of a stage.
 */
export async function validate(
  model: Model,
  method: WriteMethod,
  body: Body,
  before: Row | undefined,
  context: RequestContext,
): Promise<WriteCheck> {
  const input: Body = {}
  const errors: FieldErrors = {}
  for (const field of model.fields) readField(field, method, body, before, input, errors)
  await checkReferences(model, input, errors, context)
  if (Object.keys(errors).length > 0) throw new ValidationError(errors)
  const check: WriteCheck = {
    input,
    merged: { ...(before ? writtenWire(model, before) : {}), ...input },
    before,
    body,
    context,
  }
  await model.resource.hooks?.validate?.(check)
  await checkUnique(model, check)
  return check
}

function readField(
  { name, field }: ModelField,
  method: WriteMethod,
  body: Body,
  before: Row | undefined,
  input: Body,
  errors: FieldErrors,
): void {
  if (field.readOnly || field.kind === 'computed' || (field.createOnly && before)) return
  if (!(name in body)) {
    if (method === 'PATCH') return
    if (field.required) errors[name] = ['This field is required.']
    else if (field.default !== undefined && (method === 'PUT' || field.default !== null)) input[name] = field.default
    return
  }
  // A client that writes back what it read keeps the secret.
  if (field.kind === 'secret' && body[name] === encrypted && before) return
  const checked = checkField(field, body[name])
  if (checked.ok) input[name] = checked.value
  else errors[name] = [checked.message]
}

async function checkReferences(model: Model, input: Body, errors: FieldErrors, context: RequestContext): Promise<void> {
  for (const { name, field } of model.fields) {
    const id = input[name]
    if (field.kind !== 'id' || typeof id !== 'number') continue
    const target = context.registry.find(field.to)
    if (!target || !(await findRow(target, id, context))) errors[name] = [`Invalid pk "${id}" - object does not exist.`]
  }
}

/** A row of the resource by id; undefined where there is none. */
export async function findRow(model: Model, id: number, context: RequestContext): Promise<Row | undefined> {
  const { id: column } = model.columns
  if (!column || !Number.isInteger(id) || Math.abs(id) > 2147483647) return undefined
  const [row] = await rowById(model, column)(context.db).execute({ id })
  return row && belongs(model, row as Row) ? (row as Row) : undefined
}

const rowQueries = new WeakMap<Model, ReturnType<typeof makeRowQuery>>()

function rowById(model: Model, column: PgColumn) {
  const query = rowQueries.get(model) ?? makeRowQuery(model, column)
  rowQueries.set(model, query)
  return query
}

function makeRowQuery(model: Model, column: PgColumn) {
  return preparedOn((db) =>
    db
      .select()
      .from(model.table)
      .where(eq(column, sql.placeholder('id')))
      .limit(1)
      .prepare(`${model.name}_by_id`),
  )
}

/** A shared table's row belongs to the resource whose scope it fits. */
function belongs(model: Model, row: Row): boolean {
  return Object.entries(model.resource.scope ?? {}).every(([key, value]) => row[key] === value)
}

/** The stored row by wire names, in the form `input` has. */
function writtenWire(model: Model, row: Row): Body {
  const wire: Body = {}
  for (const field of model.fields) if (field.key !== undefined) wire[field.name] = wireValue(field, row)
  return wire
}

/** Column values of a checked body. */
export function columnValues(model: Model, input: Body): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const { name, key } of model.fields) {
    if (key !== undefined && name in input && input[name] !== undefined) values[key] = input[name]
  }
  return values
}
