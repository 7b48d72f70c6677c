import { and, eq, sql } from 'drizzle-orm'
import type { RequestContext, Row } from './context.ts'
import { ApiError, BadRequestError } from './errors.ts'
import { fixedColumns, pairColumns } from './pairs.ts'
import { type Model, titled } from './registry.ts'
import type { Relation } from './resource.ts'
import { findRow } from './validate.ts'

/** What a POST on a sub-list asks for: attaching or detaching an object, or undefined for creating one. */
export function readAttachment(
  listed: Model,
  body: Record<string, unknown>,
  mayCreate: boolean,
): Attachment | undefined {
  const attaching = !isTrue(body.disassociate)
  if (!('id' in body)) {
    if (mayCreate && attaching) return undefined
    throw new ApiError(400, {
      msg: mayCreate ? '"id" is required to disassociate' : `${titled(listed.label)} 'id' field is missing.`,
    })
  }
  const id =
    typeof body.id === 'number' || (typeof body.id === 'string' && /^\d+$/.test(body.id)) ? Number(body.id) : Number.NaN
  if (!Number.isInteger(id)) throw new ApiError(400, { msg: '"id" field must be an integer.' })
  return { id, attaching }
}

/** An object to attach, or to detach. */
export interface Attachment {
  id: number
  attaching: boolean
}

function isTrue(value: unknown): boolean {
  return value === true || value === 1 || value === 'true'
}

/** The object to attach; AWX's text where there is none. */
export async function findChild(listed: Model, id: number, context: RequestContext): Promise<Row> {
  const child = await findRow(listed, id, context)
  if (!child) throw new BadRequestError(`${listed.resource.model} matching query does not exist.`)
  return child
}

/** Attaches at the end; attaching twice changes nothing. */
export async function attach(
  relation: Relation,
  listed: Model,
  parent: Row,
  child: Row,
  context: RequestContext,
): Promise<void> {
  if (relation.kind === 'many') return await setParent(relation.column, listed, child, parent.id, context)
  if (relation.kind !== 'through') throw new Error('only to-many relations can be attached to')
  const columns = pairColumns(relation)
  const position = relation.position
    ? {
        [relation.position]: sql`(select coalesce(max(${columns.position}), 0) + 1 from ${relation.table} where ${eq(columns.parent, parent.id)})`,
      }
    : {}
  await context.db
    .insert(relation.table)
    .values({ ...relation.fixed, [relation.parent]: parent.id, [relation.child]: child.id, ...position })
    .onConflictDoNothing()
}

/** Detaches; what is not attached stays so. */
export async function detach(
  relation: Relation,
  listed: Model,
  parent: Row,
  child: Row,
  context: RequestContext,
): Promise<void> {
  if (relation.kind === 'many') return await setParent(relation.column, listed, child, null, context)
  if (relation.kind !== 'through') throw new Error('only to-many relations can be detached from')
  const columns = pairColumns(relation)
  await context.db
    .delete(relation.table)
    .where(and(eq(columns.parent, parent.id), eq(columns.child, child.id), fixedColumns(relation)))
}

async function setParent(
  column: string,
  listed: Model,
  child: Row,
  parentId: number | null,
  context: RequestContext,
): Promise<void> {
  const { id } = listed.columns
  if (id)
    await context.db
      .update(listed.table)
      .set({ [column]: parentId })
      .where(eq(id, child.id))
}
