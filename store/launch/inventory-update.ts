import { asc, eq } from 'drizzle-orm'
import { preferredGroups } from '../../model/groups.ts'
import type { LaunchType } from '../../model/job.ts'
import type { Database } from '../database.ts'
import { followUp } from '../job-follow-up.ts'
import { instanceGroups, organizationInstanceGroups } from '../schema/catalog.ts'
import { inventories, inventoryInstanceGroups } from '../schema/inventory.ts'
import { unifiedJobCredentials, unifiedJobs } from '../schema/jobs.ts'
import { inventorySourceCredentials, type inventorySources } from '../schema/updates.ts'

/** An inventory source as stored. */
export type InventorySourceRow = typeof inventorySources.$inferSelect

/** How an update of an inventory source comes about. */
export interface InventoryUpdateLaunch {
  launchType: LaunchType
  createdById: number | null
  /** The workflow job whose node it is. */
  workflowJobId?: number
  /** That of what it is made for. */
  priority?: number
  scheduleId?: number
}

/**
 * Makes the row of an update of an inventory source, pending, with all that the source says now; the caller starts it. Returns its id. Its groups are
 * those of its inventory, then those of the inventory's organization; they matter only for an update that runs in a pod.
 */
export async function createInventoryUpdate(
  tx: Database,
  source: InventorySourceRow,
  launch: InventoryUpdateLaunch,
): Promise<number> {
  const [inventory] = await tx.select().from(inventories).where(eq(inventories.id, source.inventoryId))
  if (!inventory) throw new Error(`inventory ${source.inventoryId} does not exist`)
  const [update] = await tx
    .insert(unifiedJobs)
    .values({
      type: 'inventory_update',
      name: `${inventory.name} - ${source.name}`,
      description: source.description,
      unifiedJobTemplateId: source.id,
      inventorySourceId: source.id,
      inventoryId: inventory.id,
      organizationId: inventory.organizationId,
      projectId: source.source === 'scm' ? source.sourceProjectId : null,
      status: 'pending',
      source: source.source,
      sourcePath: source.sourcePath,
      sourceVars: source.sourceVars,
      scmBranch: source.scmBranch,
      enabledVar: source.enabledVar,
      enabledValue: source.enabledValue,
      hostFilter: source.hostFilter,
      overwrite: source.overwrite,
      overwriteVars: source.overwriteVars,
      timeout: source.timeout,
      verbosity: source.verbosity,
      limit: source.limit,
      executionEnvironmentId: source.executionEnvironmentId,
      eligibleGroups: await groupsOf(tx, inventory),
      ...launch,
    })
    .returning()
  if (!update) throw new Error(`the update of inventory source ${source.id} was not made`)
  const attached = await tx
    .select({ credentialId: inventorySourceCredentials.credentialId })
    .from(inventorySourceCredentials)
    .where(eq(inventorySourceCredentials.inventorySourceId, source.id))
  if (attached.length > 0) {
    await tx
      .insert(unifiedJobCredentials)
      .values(attached.map(({ credentialId }) => ({ jobId: update.id, credentialId })))
  }
  await followUp(tx, update)
  return update.id
}

async function groupsOf(tx: Database, inventory: typeof inventories.$inferSelect): Promise<number[]> {
  const ofInventory = await tx
    .select({ id: inventoryInstanceGroups.instanceGroupId })
    .from(inventoryInstanceGroups)
    .where(eq(inventoryInstanceGroups.inventoryId, inventory.id))
    .orderBy(asc(inventoryInstanceGroups.position))
  const ofOrganization = await tx
    .select({ id: organizationInstanceGroups.instanceGroupId })
    .from(organizationInstanceGroups)
    .where(eq(organizationInstanceGroups.organizationId, inventory.organizationId))
    .orderBy(asc(organizationInstanceGroups.position))
  const global = await tx
    .select({ id: instanceGroups.id })
    .from(instanceGroups)
    .where(eq(instanceGroups.name, 'default'))
  const ids = (rows: { id: number }[]) => rows.map(({ id }) => id)
  return preferredGroups({
    launched: [],
    template: [],
    templatePreventsFallback: false,
    inventory: ids(ofInventory),
    inventoryPreventsFallback: inventory.preventInstanceGroupFallback,
    organization: ids(ofOrganization),
    global: ids(global),
  })
}
