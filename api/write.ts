import { eq, sql } from 'drizzle-orm'
import type { RequestContext, Row } from './context.ts'
import { NotFoundError } from './errors.ts'
import type { Model } from './registry.ts'
import { orUniqueViolation } from './unique.ts'
import { columnValues, findRow, validate, type WriteMethod } from './validate.ts'

type Body = Record<string, unknown>

/** Validates and inserts; `fixed` are column values that the route decides (a sub-list's parent). Runs in the caller's transaction. */
export async function createObject(model: Model, body: Body, context: RequestContext, fixed: Body = {}): Promise<Row> {
  const { hooks } = model.resource
  await hooks?.receive?.(body, context)
  const check = await validate(model, 'POST', body, undefined, context)
  const prepared = (await hooks?.prepare?.(columnValues(model, check.input), check)) ?? columnValues(model, check.input)
  if (hooks?.insert) return await hooks.insert({ ...prepared, ...fixed }, check)
  return await insertRow(model, { ...prepared, ...fixed }, context, check.input)
}

/** Inserts column values as they are, with authors and scope, and runs `afterWrite`. */
export async function insertRow(model: Model, values: Body, context: RequestContext, input: Body): Promise<Row> {
  const authors = {
    ...('createdById' in model.columns ? { createdById: context.actor.id } : {}),
    ...('modifiedById' in model.columns ? { modifiedById: context.actor.id } : {}),
  }
  const [row] = await orUniqueViolation(model, () =>
    context.db
      .insert(model.table)
      .values({ ...authors, ...model.resource.scope, ...values })
      .returning(),
  )
  return await finish(model, row as Row, undefined, context, input)
}

/** Validates and updates under a row lock; PUT resets what it leaves out. */
export async function updateObject(
  model: Model,
  id: number,
  method: Exclude<WriteMethod, 'POST'>,
  body: Body,
  context: RequestContext,
): Promise<Row> {
  const before = await lockRow(model, id, context)
  const check = await validate(model, method, body, before, context)
  const written = columnValues(model, check.input)
  const values = (await model.resource.hooks?.prepare?.(written, check)) ?? written
  const stamps = {
    ...('modified' in model.columns ? { modified: sql`now()` } : {}),
    ...('modifiedById' in model.columns ? { modifiedById: context.actor.id } : {}),
  }
  const changes = { ...values, ...stamps }
  const [row] =
    Object.keys(changes).length === 0
      ? [before]
      : await orUniqueViolation(model, () =>
          context.db
            .update(model.table)
            .set(changes)
            .where(eq(idColumn(model), id))
            .returning(),
        )
  return await finish(model, row as Row, before, context, check.input)
}

/** Deletes, or lets the resource do it in its own way (inventories: 202, later). */
export async function deleteObject(model: Model, id: number, context: RequestContext): Promise<202 | 204> {
  const row = await lockRow(model, id, context)
  await model.resource.hooks?.beforeDelete?.(row, context)
  if (model.resource.hooks?.remove) return await model.resource.hooks.remove(row, context)
  await context.db.delete(model.table).where(eq(idColumn(model), id))
  return 204
}

/** `afterWrite` may have changed the row, so it is read again where there is one. */
async function finish(
  model: Model,
  row: Row,
  before: Row | undefined,
  context: RequestContext,
  input: Body,
): Promise<Row> {
  const { afterWrite } = model.resource.hooks ?? {}
  if (!afterWrite) return row
  await afterWrite(row, before, context, input)
  return (await findRow(model, row.id, context)) ?? row
}

async function lockRow(model: Model, id: number, context: RequestContext): Promise<Row> {
  const [row] = await context.db
    .select()
    .from(model.table)
    .where(eq(idColumn(model), id))
    .for('update')
  if (!row) throw NotFoundError.of(model.resource.model)
  return row as Row
}

function idColumn(model: Model) {
  const { id } = model.columns
  if (!id) throw new Error(`${model.name} has no id`)
  return id
}
