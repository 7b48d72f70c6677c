import type { RequestContext, Row } from './context.ts'
import { type Endpoint, type EndpointRequest, methods } from './endpoint.ts'
import { PermissionDeniedError } from './errors.ts'
import { actionOptions } from './field-options.ts'
import { loadObject } from './object.ts'
import { actionOptionsOf, belowTitle } from './options.ts'
import { authorize } from './permissions.ts'
import type { Model } from './registry.ts'
import type { Action } from './resource.ts'
import { serializeOne } from './serialize.ts'
import { findRow } from './validate.ts'

/** `/job_templates/:id/launch/` and the like; a key with a dot names a file, whose address ends in no slash. */
export function actionEndpoints(model: Model): Endpoint[] {
  return Object.entries(model.resource.actions ?? {}).map(([key, action]) =>
    actionEndpoint(
      model,
      key,
      action,
      `${model.url}:id/${key}${key.includes('.') ? '' : '/'}`,
      async ({ context, param }, permission) => {
        // Without a permission (webhooks) the object is only found, and the handler decides.
        if (permission !== null) return await loadObject(model, param('id'), permission, context)
        if (!action.hidesMissing) return await findAnyone(model, param('id'), context)
        const row = await findRow(model, Number(param('id')), context)
        if (!row) throw new PermissionDeniedError()
        return row
      },
    ),
  )
}

/** `/hosts/<key>/`: below the collection, without an object. */
export function collectionActionEndpoints(model: Model): Endpoint[] {
  return Object.entries(model.resource.collectionActions ?? {}).map(([key, action]) =>
    actionEndpoint(model, key, action as Action, `${model.url}${key}/`, async ({ context }, permission) => {
      if (permission !== null) await authorize(context, permission, model)
      return undefined
    }),
  )
}

type FindObject = (request: EndpointRequest, permission: string | null) => Promise<Row | undefined>

function actionEndpoint(model: Model, key: string, action: Action, path: string, find: FindObject): Endpoint {
  const handlers: Endpoint['handlers'] = {}
  for (const method of methods) {
    const handler = action[method]
    if (!handler) continue
    const reading = method === 'GET'
    const permission =
      action.permission === null
        ? null
        : reading
          ? (action.permission?.GET ?? 'read')
          : (action.permission?.POST ?? key)
    handlers[method] = async (request) => {
      const object = (await find(request, permission)) as Row
      const { context, body, query } = request
      return await handler({ object, body, query, context, render: (resource, id) => render(resource, id, context) })
    }
  }
  return {
    path,
    name: belowTitle(model, key, action.title, false),
    description: `${key.replaceAll('_', ' ')} of one ${model.label}.`,
    tag: model.name,
    handlers,
    anonymous: action.anonymous,
    ownBody: action.ownBody,
    ownFormats: action.ownFormats,
    ownTransaction: action.ownTransaction,
    options: (context) => actionOptionsOf(model, action, context.registry),
    documents: {
      fields: Object.fromEntries(
        (['POST', 'PUT', 'PATCH'] as const)
          .filter((method) => action[method])
          .map((method) => [method, actionOptions(action.fields?.POST ?? {}, 'POST')]),
      ),
      answer: action.fields?.GET ? actionOptions(action.fields.GET, 'GET') : undefined,
    },
  }
}

async function findAnyone(model: Model, reference: string, context: RequestContext): Promise<Row | undefined> {
  const row = await findRow(model, Number(reference), context)
  return row ?? (await loadObject(model, reference, 'read', context))
}

async function render(resource: string, id: number, context: RequestContext): Promise<Record<string, unknown>> {
  const model = context.registry.get(resource)
  const row = await findRow(model, id, context)
  if (!row) throw new Error(`no ${resource} has the id ${id}`)
  return await serializeOne(model, row, context)
}
