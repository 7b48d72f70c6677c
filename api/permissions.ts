import { and, eq, type SQL, sql } from 'drizzle-orm'
import { decideBySubject } from '../model/permission.ts'
import type { RequestContext, Row } from './context.ts'
import { PermissionDeniedError } from './errors.ts'
import type { Model } from './registry.ts'

/** Looks up what roles give a user; the place where AWX's roles come in. */
export interface RoleLookup {
  /** Whether a role of the actor allows the action on the object, or on the collection where there is none. */
  allows(context: RequestContext, action: string, model: Model, row: Row | undefined): Promise<boolean>
  /** Condition on the rows that roles let the actor read; undefined where they give nothing. */
  readable(context: RequestContext, model: Model): SQL | undefined
}

/** No roles at all: normal users get only what a resource grants to everybody. */
const noRoles: RoleLookup = {
  async allows() {
    return false
  },
  readable: () => undefined,
}

/**
 * May the actor do this? The one question of every route. Actions: `read`, `create`, `edit`, `delete`, `copy`, `use`, and the keys of
 * actions (`launch`, `cancel`, …). Without a row the question is about the collection.
 */
export async function allowed(context: RequestContext, action: string, model: Model, row?: Row): Promise<boolean> {
  const { permissions = {} } = model.resource
  if (permissions.refuse?.(action, row, context) !== undefined) return false
  const decided = decideBySubject(context.actor, action)
  if (decided !== undefined) return decided
  if (permissions.grants?.(action, row, context)) return true
  // Lists are filtered row by row instead of refused.
  if (action === 'read') return !row || mayRead(context, model, row)
  if (permissions.writes === 'superuser') return false
  return roles(context).allows(context, action, model, row)
}

/** Throws 403 unless allowed; a resource's own refusal gives its text. */
export async function authorize(context: RequestContext, action: string, model: Model, row?: Row): Promise<void> {
  if (await allowed(context, action, model, row)) return
  const mayOtherwise = decideBySubject(context.actor, action) === true
  throw new PermissionDeniedError(mayOtherwise ? model.resource.permissions?.refuse?.(action, row, context) : undefined)
}

/** Condition on rows the actor may read; undefined: all. */
export function readable(context: RequestContext, model: Model): SQL | undefined {
  const { permissions = {} } = model.resource
  if (decideBySubject(context.actor, 'read') || permissions.readableByAll) return undefined
  const granted = permissions.readable?.(context)
  const byRole = roles(context).readable(context, model)
  if (granted && byRole) return sql`(${granted} or ${byRole})`
  return granted ?? byRole ?? sql`false`
}

/** Details follow the same condition as lists. */
async function mayRead(context: RequestContext, model: Model, row: Row): Promise<boolean> {
  const { id } = model.columns
  if (!id) return false
  const found = await context.db
    .select({ id })
    .from(model.table)
    .where(and(eq(id, row.id), readable(context, model)))
  return found.length > 0
}

function roles(context: RequestContext): RoleLookup {
  return context.deps.roles ?? noRoles
}
