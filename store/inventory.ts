import { asc, eq } from 'drizzle-orm'
import type { Database } from './database.ts'
import { groupChildren, groupHosts, groups, hosts, inventories } from './schema/catalog.ts'

/** A host as a worker reads it. */
export interface InventoryHost {
  id: number
  name: string
  enabled: boolean
  /** YAML or JSON text as the user wrote it. */
  variables: string
}

/** A group as a worker reads it. */
export interface InventoryGroup {
  id: number
  name: string
  /** YAML or JSON text as the user wrote it. */
  variables: string
  /** Names, in the order of the hosts' ids. */
  hosts: string[]
  /** Names of groups directly below. */
  children: string[]
}

/** An inventory as plain data, from which the runner writes its inventory script. */
export interface InventoryDocument {
  id: number
  name: string
  /** YAML or JSON text as the user wrote it. */
  variables: string
  /** All hosts, disabled ones too, by id: slices are cut from this order. */
  hosts: InventoryHost[]
  groups: InventoryGroup[]
}

/** Reads a whole inventory at one moment; undefined when there is none. */
export async function readInventory(db: Database, inventoryId: number): Promise<InventoryDocument | undefined> {
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
      const byId = new Map<number, InventoryGroup>(
        groupRows.map((group) => [group.id, { ...group, hosts: [], children: [] }]),
      )
      const memberships = await tx
        .select({ groupId: groupHosts.groupId, host: hosts.name })
        .from(groupHosts)
        .innerJoin(hosts, eq(hosts.id, groupHosts.hostId))
        .where(eq(hosts.inventoryId, inventoryId))
        .orderBy(asc(hosts.id))
      for (const { groupId, host } of memberships) byId.get(groupId)?.hosts.push(host)
      const nestings = await tx
        .select({ parentId: groupChildren.parentId, child: groups.name })
        .from(groupChildren)
        .innerJoin(groups, eq(groups.id, groupChildren.childId))
        .where(eq(groups.inventoryId, inventoryId))
        .orderBy(asc(groups.id))
      for (const { parentId, child } of nestings) byId.get(parentId)?.children.push(child)
      return {
        id: inventory.id,
        name: inventory.name,
        variables: inventory.variables,
        hosts: hostRows,
        groups: [...byId.values()],
      }
    },
    { isolationLevel: 'repeatable read', accessMode: 'read only' },
  )
}
