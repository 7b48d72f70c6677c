import type { RequestContext, Row } from './context.ts'
import type { Endpoint } from './endpoint.ts'
import { ValidationError } from './errors.ts'
import { actionOptions } from './field-options.ts'
import { loadObject } from './object.ts'
import { belowTitle } from './options.ts'
import { allowed } from './permissions.ts'
import type { Model } from './registry.ts'
import { serializeOne } from './serialize.ts'
import { checkCopy } from './unique.ts'
import { checkField } from './validate-field.ts'
import { insertRow } from './write.ts'

const fields = { name: { type: 'string', required: true, label: 'Name', max_length: 512 } }

/** GET …/copy/ asks, POST …/copy/ `{name}` makes a second object. */
export function copyEndpoint(model: Model): Endpoint {
  return {
    path: `${model.url}:id/copy/`,
    name: belowTitle(model, 'copy', model.resource.copy?.title, false),
    description: `Copies one ${model.label} under another name.`,
    summaries: { GET: `Says whether the caller may copy the ${model.label}.` },
    tag: model.name,
    handlers: {
      GET: async ({ context, param }) => {
        const row = await loadObject(model, param('id'), 'read', context)
        const more = await model.resource.copy?.describe?.(row, context)
        return { status: 200, body: { can_copy: await allowed(context, 'copy', model, row), ...more } }
      },
      POST: async ({ context, param, body }) => {
        const source = await loadObject(model, param('id'), 'copy', context)
        const wire = await serializeOne(model, await copyRow(model, source, body, context), context)
        return { status: 201, body: wire, headers: { Location: String(wire.url) } }
      },
    },
    options: () => ({
      actions: { GET: actionOptions(fields, 'GET'), POST: actionOptions(fields, 'POST') },
    }),
    documents: { fields: { POST: actionOptions(fields, 'POST') } },
  }
}

async function copyRow(
  model: Model,
  source: Row,
  body: Record<string, unknown>,
  context: RequestContext,
): Promise<Row> {
  if (!('name' in body)) throw ValidationError.on('name', 'This field is required.')
  const checked = checkField({ kind: 'string', required: true, maxLength: 512 }, body.name)
  if (!checked.ok) throw ValidationError.on('name', checked.message)
  const values: Record<string, unknown> = {}
  const merged: Record<string, unknown> = {}
  for (const { name, field, key } of model.fields) {
    // What only the system sets (status, last job) starts anew.
    if (key === undefined || field.readOnly || model.resource.copy?.omit?.includes(name)) continue
    values[key] = source[key]
    merged[name] = source[key]
  }
  values.name = checked.value
  await checkCopy(model, { input: {}, merged: { ...merged, name: checked.value }, before: undefined, body, context })
  const copy = await insertRow(model, values, context, {})
  await model.resource.copy?.after?.(source, copy, context)
  return copy
}
