import { and } from 'drizzle-orm'
import type { RequestContext, Row } from './context.ts'
import { NotFoundError, UnknownPathError } from './errors.ts'
import { scopeOf } from './filters/conditions.ts'
import { namedUrlCondition } from './named-url.ts'
import { allowed, authorize } from './permissions.ts'
import type { Model } from './registry.ts'
import { findRow } from './validate.ts'

/**
 * The object that a path names by id or named URL, for an action the actor may do on it. A missing id is 404 with AWX's text; a named URL
 * that is forbidden is 404 too, so that names cannot be probed.
 */
export async function loadObject(
  model: Model,
  reference: string,
  action: string,
  context: RequestContext,
): Promise<Row> {
  if (/^\d+$/.test(reference)) {
    const row = await findRow(model, Number(reference), context)
    if (!row) throw NotFoundError.of(model.resource.model)
    await authorize(context, action, model, row)
    return row
  }
  if (!model.resource.namedUrl) throw new UnknownPathError()
  const condition = namedUrlCondition(context.registry, model, reference)
  const [row] = condition
    ? await context.db
        .select()
        .from(model.table)
        .where(and(condition, scopeOf(model)))
        .limit(1)
    : []
  if (!row) throw NotFoundError.of(model.resource.model)
  if (!(await allowed(context, 'read', model, row as Row))) throw new NotFoundError()
  await authorize(context, action, model, row as Row)
  return row as Row
}
