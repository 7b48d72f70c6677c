import { eq } from 'drizzle-orm'
import type { SourcedInventory } from '../../model/sourced-inventory.ts'
import type { Database } from '../database.ts'
import { inventories } from '../schema/inventory.ts'
import { importGroups } from './groups.ts'
import { importHosts } from './hosts.ts'
import { linkMembers } from './members.ts'
import { mergedVariables } from './variables.ts'

/** Where an inventory source writes to, and how. */
export interface ImportTarget {
  inventoryId: number
  inventorySourceId: number
  /** Hosts and groups that the source brought before and does not bring any more are deleted; so is who is in its groups without it. */
  overwrite: boolean
  /** Variables are replaced; otherwise those that the source does not name are kept. */
  overwriteVars: boolean
}

/** What an import did, in numbers. */
export interface ImportCounts {
  hosts: number
  groups: number
  hostsDeleted: number
  groupsDeleted: number
}

/**
 * Brings what a source tells into its inventory, with AWX's rules of overwriting, by a fixed number of statements for each few thousand rows. Runs in
 * the caller's transaction; two imports into one inventory follow each other.
 */
export async function importInventory(
  tx: Database,
  target: ImportTarget,
  sourced: SourcedInventory,
): Promise<ImportCounts> {
  const [inventory] = await tx
    .select()
    .from(inventories)
    .where(eq(inventories.id, target.inventoryId))
    .for('no key update')
  if (!inventory) throw new Error(`inventory ${target.inventoryId} does not exist`)
  const hosts = await importHosts(tx, target, sourced.hosts)
  const groups = await importGroups(tx, target, sourced.groups)
  await linkMembers(tx, target, sourced.groups, { hosts: hosts.ids, groups: groups.ids })
  const variables = mergedVariables(inventory.variables, sourced.variables, target.overwriteVars)
  if (variables !== null) {
    await tx.update(inventories).set({ variables }).where(eq(inventories.id, inventory.id))
  }
  return { hosts: hosts.ids.size, groups: groups.ids.size, hostsDeleted: hosts.deleted, groupsDeleted: groups.deleted }
}
