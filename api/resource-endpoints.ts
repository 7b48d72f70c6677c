import { actionEndpoints, collectionActionEndpoints } from './action-endpoints.ts'
import { copyEndpoint } from './copy.ts'
import type { Endpoint, EndpointRequest } from './endpoint.ts'
import { readOptions, typeChoice, writeOptions } from './field-options.ts'
import { listObjects } from './list.ts'
import { loadObject } from './object.ts'
import { detailOptions, detailTitle, listOptions, listTitle } from './options.ts'
import { authorize } from './permissions.ts'
import type { Model, Registry } from './registry.ts'
import type { DetailMethod, ListMethod } from './resource.ts'
import { serializeOne } from './serialize.ts'
import { subListEndpoints } from './sub-lists.ts'
import { unknownFieldsHeader } from './validate.ts'
import { createObject, deleteObject, updateObject } from './write.ts'

/** Every endpoint that follows from a resource's description. */
export function resourceEndpoints(model: Model, registry: Registry): Endpoint[] {
  return [
    ...(model.resource.detailsOnly ? [] : [listEndpoint(model)]),
    ...collectionActionEndpoints(model),
    ...(model.resource.variants ? [] : [detailEndpoint(model)]),
    ...(model.resource.copy ? [copyEndpoint(model)] : []),
    ...subListEndpoints(model, registry),
    ...actionEndpoints(model),
  ]
}

function listEndpoint(model: Model): Endpoint {
  const offered: readonly ListMethod[] = model.resource.methods?.list ?? ['GET', 'POST']
  return {
    path: model.url,
    name: listTitle(model),
    description: `Lists the ${model.label}s that the caller may read${offered.includes('POST') ? ', and creates one' : ''}.`,
    summaries: { GET: `Lists the ${model.label}s that the caller may read.`, POST: `Creates one ${model.label}.` },
    tag: model.name,
    handlers: {
      GET: async ({ context }) => ({
        status: 200,
        body: await listObjects(model, context),
        headers: model.resource.listHeaders,
      }),
      ...(offered.includes('POST') ? { POST: (request: EndpointRequest) => create(model, request) } : {}),
    },
    options: (context) => listOptions(model, offered, context),
    documents: {
      list: true,
      answer: readOptions(model, [typeChoice(model)], 'list'),
      fields: offered.includes('POST') ? { POST: writeOptions(model, 'POST') } : {},
    },
  }
}

async function create(model: Model, { context, body }: EndpointRequest) {
  await authorize(context, 'create', model)
  const row = await createObject(model, body, context)
  const wire = await serializeOne(model, row, context)
  return { status: 201, body: wire, headers: { Location: String(wire.url), ...unknownFieldsHeader(model, body) } }
}

function detailEndpoint(model: Model): Endpoint {
  const offered: readonly DetailMethod[] = model.resource.methods?.detail ?? ['GET', 'PUT', 'PATCH', 'DELETE']
  const update =
    (method: 'PUT' | 'PATCH') =>
    async ({ context, body, param }: EndpointRequest) => {
      const { id } = await loadObject(model, param('id'), 'edit', context)
      const row = await updateObject(model, id, method, body, context)
      return { status: 200, body: await serializeOne(model, row, context), headers: unknownFieldsHeader(model, body) }
    }
  const all: Endpoint['handlers'] = {
    GET: async ({ context, param }) => {
      const row = await loadObject(model, param('id'), 'read', context)
      return { status: 200, body: await serializeOne(model, row, context) }
    },
    PUT: update('PUT'),
    PATCH: update('PATCH'),
    DELETE: async ({ context, param }) => {
      const { id } = await loadObject(model, param('id'), 'delete', context)
      return { status: await deleteObject(model, id, context) }
    },
  }
  return {
    path: `${model.url}:id/`,
    name: detailTitle(model),
    description: `One ${model.label}, by id${model.resource.namedUrl ? ' or named URL' : ''}.`,
    summaries: {
      GET: `Shows one ${model.label}.`,
      PUT: `Changes one ${model.label}; what the body leaves out takes its default.`,
      PATCH: `Changes what the body names of one ${model.label}.`,
      DELETE: `Deletes one ${model.label}.`,
    },
    tag: model.name,
    handlers: Object.fromEntries(offered.map((method) => [method, all[method]])),
    options: (context) => detailOptions(model, offered, context),
    documents: {
      answer: readOptions(model, [typeChoice(model)], 'detail'),
      fields: Object.fromEntries(
        offered
          .filter((method) => method === 'PUT' || method === 'PATCH')
          .map((method) => [method, writeOptions(model, 'PUT')]),
      ),
    },
  }
}
