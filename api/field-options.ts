import type { Field, IntegerField, ScalarField } from './field.ts'
import { capitalized, type Model, titled } from './registry.ts'
import type { ActionField } from './resource.ts'

/** Fields as OPTIONS describes them: wire name → its properties. */
export type FieldOptions = Record<string, Record<string, unknown>>
type WriteVerb = 'POST' | 'PUT'

/** `id` as sub-lists that attach offer it: awxkit tells attaching from creating by it. */
export const attachField: FieldOptions = {
  id: { type: 'integer', required: false, hidden: false, label: 'ID', filterable: true },
}

/** OPTIONS `actions.GET` of a resource: what its objects show. */
export function readOptions(model: Model, typeChoices: [string, string][], view: 'list' | 'detail'): FieldOptions {
  const stamp = (label: string) => ({ type: 'datetime', hidden: false, label, filterable: true })
  const options: FieldOptions = {
    id: { type: 'integer', hidden: false, label: 'ID', filterable: true },
    type: { type: 'choice', hidden: false, label: 'Type', choices: typeChoices },
    url: { type: 'string', hidden: false, label: 'Url', filterable: false },
    related: { type: 'object', hidden: false, label: 'Related', filterable: false },
    summary_fields: { type: 'object', hidden: false, label: 'Summary fields', filterable: false },
    ...('created' in model.columns ? { created: stamp('Created') } : {}),
    ...('modified' in model.columns ? { modified: stamp('Modified') } : {}),
  }
  for (const { name, field } of model.fields) {
    if (field.writeOnly || (field.detailOnly && view === 'list')) continue
    options[name] = { ...shape(name, field, 'GET'), ...field.options }
  }
  return options
}

/** OPTIONS `actions.POST` or `PUT`: what a body may hold. */
export function writeOptions(model: Model, verb: WriteVerb): FieldOptions {
  const options: FieldOptions = {}
  for (const { name, field } of model.fields) {
    if (field.readOnly || field.kind === 'computed' || (verb === 'PUT' && field.createOnly)) continue
    const { type, ...rest } = shape(name, field, verb)
    options[name] = {
      type,
      required: field.required ?? false,
      ...rest,
      ...(maxLength(field) === undefined ? {} : { max_length: maxLength(field) }),
      ...(field.default === undefined ? {} : { default: field.default }),
      ...(field.writeOnly ? { write_only: true } : {}),
      ...field.options,
    }
  }
  return options
}

/** An action's own fields, with what AWX always says about a field. */
export function actionOptions(fields: Record<string, ActionField>, verb: string): FieldOptions {
  return Object.fromEntries(
    Object.entries(fields).map(([name, { type, required, ...rest }]) => [
      name,
      {
        type,
        ...(verb === 'GET' ? {} : { required: required ?? false }),
        hidden: false,
        label: capitalized(name),
        filterable: false,
        ...rest,
      },
    ]),
  )
}

const isNumber = (field: Field): field is IntegerField | ScalarField =>
  field.kind === 'integer' || field.kind === 'float'

function shape(name: string, field: Field, verb: 'GET' | WriteVerb): Record<string, unknown> {
  return {
    type: wireType(field),
    hidden: false,
    label: field.label ?? capitalized(name),
    ...(field.help ? { help_text: field.help } : {}),
    ...(isNumber(field) && field.min !== undefined ? { min_value: field.min } : {}),
    ...(isNumber(field) && field.max !== undefined ? { max_value: field.max } : {}),
    filterable: field.filterable ?? field.kind !== 'computed',
    ...(field.kind === 'choice'
      ? { choices: typeof field.choices === 'function' ? field.choices(verb) : field.choices }
      : {}),
  }
}

function wireType(field: Field): string {
  if (field.kind === 'computed') return field.type
  return field.kind === 'secret' ? 'string' : field.kind
}

function maxLength(field: Field): number | undefined {
  return field.kind === 'string' || field.kind === 'secret' ? field.maxLength : undefined
}

/** `[["execution_environment", "Execution Environment"]]` */
export function typeChoice(model: Model): [string, string] {
  return [model.resource.type, titled(model.label)]
}
