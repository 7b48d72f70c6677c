import { asc, eq } from 'drizzle-orm'
import type { InventoryStructure } from '../model/inventory-script.ts'
import type { Database } from './database.ts'
import { groupChildren, groupHosts, groups, hosts, inventories } from './schema/inventory.ts'

/** Reads a whole inventory at one moment: hosts, groups and who is in which by id; undefined when there is none. */
export async function readInventory(db: Database, inventoryId: number): Promise<InventoryStructure | undefined> {
  return await db.transaction(
    async (tx) => {
      const [inventory] = await tx.select().from(inventories).where(eq(inventories.id, inventoryId))
      if (!inventory) return undefined
      const hostRows = await tx
        .select({ id: hosts.id, name: hosts.name, enabled: hosts.enabled, variables: hosts.variables })
        .from(hosts)
        .where(eq(hosts.inventoryId, inventoryId))
        .orderBy(asc(hosts.id))
      const groupRows = await tx
        .select({ id: groups.id, name: groups.name, variables: groups.variables })
        .from(groups)
        .where(eq(groups.inventoryId, inventoryId))
        .orderBy(asc(groups.id))
      const byId = new Map<number, InventoryStructure['groups'][number]>(
        groupRows.map(({ id, ...group }) => [id, { ...group, hostIds: [], childNames: [] }]),
      )
      const memberships = await tx
        .select({ groupId: groupHosts.groupId, hostId: groupHosts.hostId })
        .from(groupHosts)
        .innerJoin(hosts, eq(hosts.id, groupHosts.hostId))
        .where(eq(hosts.inventoryId, inventoryId))
        .orderBy(asc(hosts.id))
      for (const { groupId, hostId } of memberships) byId.get(groupId)?.hostIds.push(hostId)
      const nestings = await tx
        .select({ parentId: groupChildren.parentId, child: groups.name })
        .from(groupChildren)
        .innerJoin(groups, eq(groups.id, groupChildren.childId))
        .where(eq(groups.inventoryId, inventoryId))
        .orderBy(asc(groups.id))
      for (const { parentId, child } of nestings) byId.get(parentId)?.childNames.push(child)
      return { name: inventory.name, variables: inventory.variables, hosts: hostRows, groups: [...byId.values()] }
    },
    { isolationLevel: 'repeatable read', accessMode: 'read only' },
  )
}
