import { eq } from 'drizzle-orm'
import { storedVariables, type Variables } from '../../model/variables.ts'
import type { groups, hosts, inventories } from '../../store/schema/inventory.ts'
import type { Row } from '../context.ts'
import type { Action } from '../resource.ts'

/** `…/variable_data/` of inventories, groups and hosts: their variables as a mapping; PUT replaces them, PATCH sets single ones. */
export function variableDataAction<R extends Row & { variables: string }>(
  table: typeof inventories | typeof groups | typeof hosts,
): Action<R> {
  const write = async (
    context: Parameters<NonNullable<Action<R>['PUT']>>[0]['context'],
    id: number,
    data: Variables,
  ) => {
    await context.db
      .update(table)
      .set({ variables: JSON.stringify(data) })
      .where(eq(table.id, id))
    return { status: 200 as const, body: data }
  }
  return {
    GET: async ({ object }) => ({ status: 200, body: storedVariables(object.variables) }),
    PUT: async ({ object, body, context }) => await write(context, object.id, body),
    PATCH: async ({ object, body, context }) =>
      await write(context, object.id, { ...storedVariables(object.variables), ...body }),
    permission: { POST: 'edit' },
  }
}
