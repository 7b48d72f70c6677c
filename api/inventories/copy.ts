import { sql } from 'drizzle-orm'
import type { Database } from '../../store/database.ts'
import { groupChildren, groupHosts, groups, hosts, inventoryInstanceGroups } from '../../store/schema/inventory.ts'

/** Copies hosts, groups, who is in which, and instance groups of one inventory into another, empty one. */
export async function copyMembers(db: Database, from: number, to: number, userId: number): Promise<void> {
  await db.execute(sql`
    INSERT INTO ${hosts} (name, description, inventory_id, enabled, instance_id, variables, created_by_id, modified_by_id)
    SELECT name, description, ${to}, enabled, instance_id, variables, ${userId}, ${userId}
    FROM ${hosts} WHERE inventory_id = ${from} ORDER BY id`)
  await db.execute(sql`
    INSERT INTO ${groups} (name, description, inventory_id, variables, created_by_id, modified_by_id)
    SELECT name, description, ${to}, variables, ${userId}, ${userId} FROM ${groups} WHERE inventory_id = ${from} ORDER BY id`)
  // Names are unique within an inventory, so they lead from an original to its copy.
  const twin = (alias: string, table: typeof groups | typeof hosts, original: string) =>
    sql`JOIN ${table} ${sql.raw(alias)} ON ${sql.raw(alias)}.inventory_id = ${to} AND ${sql.raw(alias)}.name = ${sql.raw(original)}.name`
  await db.execute(sql`
    INSERT INTO ${groupHosts} (group_id, host_id)
    SELECT new_group.id, new_host.id FROM ${groupHosts} pair
    JOIN ${groups} old_group ON old_group.id = pair.group_id AND old_group.inventory_id = ${from}
    JOIN ${hosts} old_host ON old_host.id = pair.host_id
    ${twin('new_group', groups, 'old_group')} ${twin('new_host', hosts, 'old_host')}`)
  await db.execute(sql`
    INSERT INTO ${groupChildren} (parent_id, child_id)
    SELECT new_parent.id, new_child.id FROM ${groupChildren} pair
    JOIN ${groups} old_parent ON old_parent.id = pair.parent_id AND old_parent.inventory_id = ${from}
    JOIN ${groups} old_child ON old_child.id = pair.child_id
    ${twin('new_parent', groups, 'old_parent')} ${twin('new_child', groups, 'old_child')}`)
  await db.execute(sql`
    INSERT INTO ${inventoryInstanceGroups} (inventory_id, instance_group_id, position)
    SELECT ${to}, instance_group_id, position FROM ${inventoryInstanceGroups} WHERE inventory_id = ${from}`)
}
