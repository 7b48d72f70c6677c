import { asc, eq } from 'drizzle-orm'
import { groupChildren, groups, type inventories } from '../../store/schema/inventory.ts'
import type { RequestContext, Row } from '../context.ts'
import type { Action } from '../resource.ts'
import { serialize } from '../serialize.ts'

type Inventory = typeof inventories.$inferSelect
type Wire = Record<string, unknown> & { children?: Wire[] }

/** `/inventories/N/tree/`: root groups with their children inside, and theirs. */
export const treeAction: Action<Inventory> = {
  async GET({ object, context }) {
    return { status: 200, body: await groupTree(object.id, context) }
  },
}

async function groupTree(inventoryId: number, context: RequestContext): Promise<Wire[]> {
  const rows = await context.db
    .select()
    .from(groups)
    .where(eq(groups.inventoryId, inventoryId))
    .orderBy(asc(groups.name))
  const pairs = await context.db
    .select({ parentId: groupChildren.parentId, childId: groupChildren.childId })
    .from(groupChildren)
    .innerJoin(groups, eq(groups.id, groupChildren.childId))
    .where(eq(groups.inventoryId, inventoryId))
    .orderBy(asc(groups.id))
  const wires = await serialize(context.registry.get('groups'), rows as unknown as Row[], context, 'list')
  const byId = new Map(rows.map((row, index) => [row.id, wires[index] ?? {}]))
  const nested = new Set(pairs.map((pair) => pair.childId))
  // Cycles cannot be stored (children are checked when attached), so this ends.
  const build = (id: number): Wire => ({
    ...byId.get(id),
    children: pairs.filter((pair) => pair.parentId === id).map((pair) => build(pair.childId)),
  })
  return rows.filter((row) => !nested.has(row.id)).map((row) => build(row.id))
}
