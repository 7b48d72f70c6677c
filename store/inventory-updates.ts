import { and, asc, eq, inArray, lt, or, type SQL, sql } from 'drizzle-orm'
import { activeStatuses } from '../model/job.ts'
import type { Database } from './database.ts'
import { type Ahead, olderJobs } from './in-line.ts'
import type { InventorySourceRow } from './launch/inventory-update.ts'
import { preparedOn } from './prepared.ts'
import { organizations } from './schema/catalog.ts'
import { hosts, inventories } from './schema/inventory.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { inventoryInputs, inventorySources } from './schema/updates.ts'

const ofInventory = sql.placeholder('inventoryId')

/** Reads one inventory source; undefined when it was deleted. */
export async function readInventorySource(db: Database, id: number | null): Promise<InventorySourceRow | undefined> {
  if (id === null) return undefined
  const [source] = await db.select().from(inventorySources).where(eq(inventorySources.id, id))
  return source
}

/** Reads an inventory source that nobody else decides about until the transaction ends. */
export async function lockInventorySource(tx: Database, id: number): Promise<InventorySourceRow | undefined> {
  const [source] = await tx.select().from(inventorySources).where(eq(inventorySources.id, id)).for('no key update')
  return source
}

/** Sources of an inventory that are updated before a job runs on it; for a constructed inventory those of what it is made from. */
export async function sourcesUpdatedOnLaunch(
  db: Database,
  inventoryId: number,
  whose: 'own' | 'inputs',
): Promise<InventorySourceRow[]> {
  return await (whose === 'own' ? ownSources : inputSources)(db).execute({ inventoryId })
}

const ownSources = preparedOn((db) =>
  updatedOnLaunch(db, eq(inventorySources.inventoryId, ofInventory)).prepare('own_sources'),
)
const inputSources = preparedOn((db) =>
  updatedOnLaunch(
    db,
    sql`${inventorySources.inventoryId} IN (SELECT ${inventoryInputs.inputInventoryId} FROM ${inventoryInputs}
      WHERE ${inventoryInputs.inventoryId} = ${ofInventory})`,
  ).prepare('input_sources'),
)

function updatedOnLaunch(db: Database, owners: SQL) {
  return db
    .select()
    .from(inventorySources)
    .where(and(owners, eq(inventorySources.updateOnLaunch, true)))
    .orderBy(asc(inventorySources.id))
}

/** Ids of the inventories that a constructed one is made from, in their order. */
export async function inputInventories(db: Database, inventoryId: number): Promise<number[]> {
  const rows = await db
    .select({ id: inventoryInputs.inputInventoryId })
    .from(inventoryInputs)
    .where(eq(inventoryInputs.inventoryId, inventoryId))
    .orderBy(asc(inventoryInputs.position))
  return rows.map(({ id }) => id)
}

/** The oldest update of the same source that is older than this one and has not ended, and how many there are; null when it is this one's turn. */
export async function olderInventoryUpdate(
  db: Database,
  inventorySourceId: number,
  jobId: number,
): Promise<Ahead | null> {
  return await olderJobs(
    db,
    jobId,
    and(eq(unifiedJobs.inventorySourceId, inventorySourceId), eq(unifiedJobs.type, 'inventory_update')),
  )
}

/** Updates that a job on the inventory lets pass: those that are at work, and those that were asked for before it. */
export async function inventoryUpdatesBefore(db: Database, inventoryId: number, jobId: number): Promise<number[]> {
  const rows = await updatesBefore(db).execute({ inventoryId, jobId })
  return rows.map(({ id }) => id)
}

const updatesBefore = preparedOn((db) =>
  db
    .select({ id: unifiedJobs.id })
    .from(unifiedJobs)
    .where(
      and(
        eq(unifiedJobs.inventoryId, ofInventory),
        eq(unifiedJobs.type, 'inventory_update'),
        or(
          inArray(unifiedJobs.status, ['waiting', 'running']),
          and(inArray(unifiedJobs.status, [...activeStatuses]), lt(unifiedJobs.id, sql.placeholder('jobId'))),
        ),
      ),
    )
    .orderBy(asc(unifiedJobs.id))
    .prepare('inventory_updates_before'),
)

/** Notes which inventory updates a job waits for. */
export async function linkInventoryUpdates(db: Database, jobId: number, ids: readonly number[]): Promise<void> {
  await db
    .update(unifiedJobs)
    .set({ inventoryUpdateIds: [...new Set(ids)] })
    .where(eq(unifiedJobs.id, jobId))
}

/** Notes that an update would have brought more hosts than the organization may have. */
export async function noteHostLimit(db: Database, jobId: number): Promise<void> {
  await db.update(unifiedJobs).set({ orgHostLimitError: true }).where(eq(unifiedJobs.id, jobId))
}

/** Hosts that the organization of an inventory has, and how many it may have; null where there is no limit. */
export async function hostLimit(
  db: Database,
  inventoryId: number,
): Promise<{ organization: string; hosts: number; most: number } | null> {
  const [row] = await db
    .select({ id: organizations.id, name: organizations.name, most: organizations.maxHosts })
    .from(inventories)
    .innerJoin(organizations, eq(organizations.id, inventories.organizationId))
    .where(eq(inventories.id, inventoryId))
  if (!row || row.most === 0) return null
  // A host counts once, in however many inventories of the organization it stands.
  const [counted] = await db
    .select({ hosts: sql<number>`count(DISTINCT ${hosts.name})::int` })
    .from(hosts)
    .innerJoin(inventories, eq(inventories.id, hosts.inventoryId))
    .where(eq(inventories.organizationId, row.id))
  return { organization: row.name, hosts: counted?.hosts ?? 0, most: row.most }
}
