import { sql } from 'drizzle-orm'
import { preparedOn } from '../../store/prepared.ts'
import { groups, hosts, inventories } from '../../store/schema/inventory.ts'
import { jobHostSummaries } from '../../store/schema/jobs.ts'
import { inventorySources } from '../../store/schema/updates.ts'
import type { RequestContext, Row } from '../context.ts'
import { subselect } from '../subselect.ts'

/** Numbers that AWX shows of an inventory. */
export interface InventoryCounts {
  total_hosts: number
  hosts_with_active_failures: number
  total_groups: number
  total_inventory_sources: number
  inventory_sources_with_failures: number
}

const none: InventoryCounts = {
  total_hosts: 0,
  hosts_with_active_failures: 0,
  total_groups: 0,
  total_inventory_sources: 0,
  inventory_sources_with_failures: 0,
}

/** Counts of a page of inventories, in their order; one query, once a request. */
export async function inventoryCounts(rows: readonly Row[], context: RequestContext): Promise<InventoryCounts[]> {
  const ids = rows.map((row) => row.id)
  const key = `counts of inventories ${ids.join()}`
  const loading = (context.cache.get(key) as Promise<Map<number, InventoryCounts>> | undefined) ?? load(ids, context)
  context.cache.set(key, loading)
  const counts = await loading
  return ids.map((id) => counts.get(id) ?? none)
}

async function load(ids: number[], context: RequestContext): Promise<Map<number, InventoryCounts>> {
  if (ids.length === 0) return new Map()
  const found = await countsOf(context.db).execute({ ids })
  return new Map(found.map(({ id, ...counts }) => [id, counts]))
}

const countsOf = preparedOn((db) => {
  // What fills a constructed inventory is a part of it, and no source to AWX.
  const sources = sql`FROM ${inventorySources}
    WHERE ${inventorySources.inventoryId} = ${inventories.id} AND ${inventorySources.source} <> 'constructed'`
  const ofInventory = sql`${hosts.inventoryId} = ${inventories.id}`
  return db
    .select({
      id: inventories.id,
      total_hosts: subselect<number>(sql`(SELECT count(*)::int FROM ${hosts} WHERE ${ofInventory})`),
      hosts_with_active_failures: subselect<number>(sql`(SELECT count(*)::int FROM ${hosts}
        JOIN ${jobHostSummaries} ON ${jobHostSummaries.id} = ${hosts.lastJobHostSummaryId} AND ${jobHostSummaries.failed}
        WHERE ${ofInventory})`),
      total_groups: subselect<number>(
        sql`(SELECT count(*)::int FROM ${groups} WHERE ${groups.inventoryId} = ${inventories.id})`,
      ),
      total_inventory_sources: subselect<number>(sql`(SELECT count(*)::int ${sources})`),
      inventory_sources_with_failures: subselect<number>(
        sql`(SELECT count(*)::int ${sources} AND ${inventorySources.lastJobFailed})`,
      ),
    })
    .from(inventories)
    .where(sql`${inventories.id} = any(${sql.placeholder('ids')}::int[])`)
    .prepare('inventory_counts')
})
