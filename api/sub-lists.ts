import { and, eq, type SQL, sql } from 'drizzle-orm'
import { attach, detach, findChild, readAttachment } from './attach.ts'
import type { RequestContext, Row } from './context.ts'
import type { Answer, Endpoint, EndpointRequest } from './endpoint.ts'
import { attachField, readOptions, typeChoice, writeOptions } from './field-options.ts'
import { listObjects } from './list.ts'
import { loadObject } from './object.ts'
import { belowTitle, subListOptions } from './options.ts'
import { fixedColumns, pairColumns } from './pairs.ts'
import { authorize } from './permissions.ts'
import { listedModel, type Model, type Registry } from './registry.ts'
import type { Relation, SubList } from './resource.ts'
import { serializeOne } from './serialize.ts'
import { unknownFieldsHeader } from './validate.ts'
import { createObject } from './write.ts'

/** A list below an object, with what its description leads to. */
interface Below {
  parent: Model
  listed: Model
  key: string
  subList: SubList
  relation: Relation | undefined
}

/** `/organizations/:id/instance_groups/` and the like. */
export function subListEndpoints(parent: Model, registry: Registry): Endpoint[] {
  return Object.entries(parent.resource.subLists ?? {}).flatMap(([key, subList]) => {
    const listed = listedModel(registry, parent, subList)
    const relation = subList.relation ? parent.relation(subList.relation) : undefined
    return listed ? [subListEndpoint({ parent, listed, key, subList, relation })] : []
  })
}

function subListEndpoint(below: Below): Endpoint {
  const { parent, listed, key, subList } = below
  const writable = subList.attach || subList.create
  return {
    path: `${parent.url}:id/${key}/`,
    name: belowTitle(parent, key, subList.title, true),
    description: `${listed.label}s of one ${parent.label}${subList.attach ? '; POST {"id": N} attaches, with "disassociate": true detaches' : ''}.`,
    summaries: {
      GET: `Lists the ${listed.label}s of one ${parent.label}.`,
      POST: [
        ...(subList.create ? [`Creates one ${listed.label} for the ${parent.label}.`] : []),
        ...(subList.attach ? ['{"id": N} attaches, with "disassociate": true detaches.'] : []),
      ].join(' '),
    },
    tag: parent.name,
    handlers: {
      GET: (request) => list(below, request),
      ...(writable ? { POST: (request: EndpointRequest) => post(below, request) } : {}),
    },
    options: (context) => subListOptions(parent, listed, subList, context),
    documents: {
      list: true,
      answer: readOptions(listed, [typeChoice(listed)], 'list'),
      fields: writable
        ? { POST: { ...(subList.attach ? attachField : {}), ...(subList.create ? writeOptions(listed, 'POST') : {}) } }
        : {},
    },
  }
}

async function list(below: Below, { context, param }: EndpointRequest): Promise<Answer> {
  const parent = await loadObject(below.parent, param('id'), 'read', context)
  const { where, orderBy } = membership(below, parent, context)
  const body = await listObjects(below.listed, context, { where, orderBy, order: below.subList.order })
  return { status: 200, body, headers: below.listed.resource.listHeaders }
}

/** Which objects belong to the parent, and in which order they were attached. */
function membership(
  { subList, relation, listed }: Below,
  parent: Row,
  context: RequestContext,
): { where: SQL | undefined; orderBy?: SQL[] } {
  if (subList.where) return { where: subList.where(parent, context) }
  const { id } = listed.columns
  if (!relation || !id) throw new Error('a sub-list needs a relation or a condition')
  if (relation.kind !== 'through') {
    const column = relation.kind === 'many' ? listed.columns[relation.column] : id
    const value = relation.kind === 'many' ? parent.id : parent[relation.column]
    return { where: column && typeof value === 'number' ? eq(column, value) : sql`false` }
  }
  const columns = pairColumns(relation)
  const pair = sql`from ${relation.table} where ${and(eq(columns.parent, parent.id), sql`${columns.child} = ${id}`, fixedColumns(relation))}`
  return {
    where: sql`exists (select 1 ${pair})`,
    orderBy: columns.position ? [sql`(select ${columns.position} ${pair})`] : [],
  }
}

async function post(below: Below, request: EndpointRequest): Promise<Answer> {
  const { subList, listed, relation } = below
  const { context, body: given, param } = request
  // Making something that belongs to the parent changes nothing of the parent; attaching to it does.
  const parent = await loadObject(below.parent, param('id'), subList.attach ? 'edit' : 'read', context)
  const body = (await subList.read?.(parent, given, context)) ?? given
  const attachment = subList.attach ? readAttachment(listed, body, subList.create ?? false) : undefined
  if (!attachment) return await create(below, parent, { ...request, body })
  if (!relation) throw new Error('only relations can be attached to')
  const child = await findChild(listed, attachment.id, context)
  if (attachment.attaching) await authorize(context, 'use', listed, child)
  await subList.check?.(parent, child, attachment.attaching, context)
  await (attachment.attaching ? attach : detach)(relation, listed, parent, child, context)
  await subList.after?.(parent, child, attachment.attaching, context)
  return { status: 204 }
}

/** Creates an object of the listed resource that belongs to the parent. */
async function create(
  { listed, subList, relation }: Below,
  parent: Row,
  { context, body }: EndpointRequest,
): Promise<Answer> {
  await authorize(context, 'create', listed)
  const field = relation?.kind === 'many' ? listed.fields.find((one) => one.key === relation.column) : undefined
  const complete = { ...body, ...(field ? { [field.name]: parent.id } : {}), ...subList.fill?.(parent) }
  const child = await createObject(listed, complete, context)
  if (relation?.kind === 'through') {
    await subList.check?.(parent, child, true, context)
    await attach(relation, listed, parent, child, context)
  }
  await subList.after?.(parent, child, true, context)
  const wire = await serializeOne(listed, child, context)
  return { status: 201, body: wire, headers: { Location: String(wire.url), ...unknownFieldsHeader(listed, body) } }
}
