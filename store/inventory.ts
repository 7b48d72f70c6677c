import { eq, type SQL, sql } from 'drizzle-orm'
import type { InventoryStructure } from '../model/inventory-script.ts'
import type { Database } from './database.ts'
import { preparedOn } from './prepared.ts'
import { inventories } from './schema/inventory.ts'

/** Rows of a query as one value, in its order. */
const listOf = <Row>(query: SQL): SQL<Row[]> => sql`(SELECT coalesce(json_agg(found), '[]') FROM (${query}) found)`

const inventoryId = sql.placeholder('inventoryId')

/** One statement, so that all of it is of one moment. */
const wholeInventory = preparedOn((db) =>
  db
    .select({
      name: inventories.name,
      variables: inventories.variables,
      hosts: listOf<InventoryStructure['hosts'][number]>(
        sql`SELECT id, name, enabled, variables FROM hosts WHERE inventory_id = ${inventoryId} ORDER BY id`,
      ),
      groups: listOf<{ id: number; name: string; variables: string }>(
        sql`SELECT id, name, variables FROM groups WHERE inventory_id = ${inventoryId} ORDER BY id`,
      ),
      memberships: listOf<{ group_id: number; host_id: number }>(
        sql`SELECT member.group_id, member.host_id FROM group_hosts member JOIN hosts ON hosts.id = member.host_id
          WHERE hosts.inventory_id = ${inventoryId} ORDER BY hosts.id`,
      ),
      nestings: listOf<{ parent_id: number; child: string }>(
        sql`SELECT nested.parent_id, groups.name AS child FROM group_children nested JOIN groups ON groups.id = nested.child_id
          WHERE groups.inventory_id = ${inventoryId} ORDER BY groups.id`,
      ),
    })
    .from(inventories)
    .where(eq(inventories.id, inventoryId))
    .prepare('whole_inventory'),
)

/** Reads a whole inventory at one moment: hosts, groups and who is in which by id; undefined when there is none. */
export async function readInventory(db: Database, inventoryId: number): Promise<InventoryStructure | undefined> {
  const [inventory] = await wholeInventory(db).execute({ inventoryId })
  if (!inventory) return undefined
  const { name, variables, hosts, groups, memberships, nestings } = inventory
  const byId = new Map<number, InventoryStructure['groups'][number]>(
    groups.map(({ id, ...group }) => [id, { ...group, hostIds: [], childNames: [] }]),
  )
  for (const { group_id, host_id } of memberships) byId.get(group_id)?.hostIds.push(host_id)
  for (const { parent_id, child } of nestings) byId.get(parent_id)?.childNames.push(child)
  return { name, variables, hosts, groups: [...byId.values()] }
}
