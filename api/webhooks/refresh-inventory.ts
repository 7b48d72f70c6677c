import { setTimeout as pause } from 'node:timers/promises'
import { and, eq, inArray } from 'drizzle-orm'
import { activeStatuses } from '../../model/job.ts'
import { channels } from '../../store/channel.ts'
import type { Database } from '../../store/database.ts'
import { lockInventorySource, sourcesUpdatedOnLaunch } from '../../store/inventory-updates.ts'
import { createInventoryUpdate } from '../../store/launch/inventory-update.ts'
import { enqueue } from '../../store/outbox.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import type { inventorySources } from '../../store/schema/updates.ts'
import type { RequestContext } from '../context.ts'

/** How long a caller waits for the inventory; what is not there by then is not there. */
const patienceMs = 120_000
const lookEveryMs = 1_000

/**
 * Updates the sources of an inventory that are to be updated on launch and whose last update is older than they allow, and waits for the end: a machine that was
 * made a moment ago is not in the inventory yet. Many callers at once wait for the same updates. False when there was nothing to update.
 */
export async function refreshInventory(inventoryId: number, context: RequestContext): Promise<boolean> {
  const { db } = context
  const now = new Date(context.now).getTime()
  const stale = (await sourcesUpdatedOnLaunch(db, inventoryId, 'own')).filter((source) => isStale(source, now))
  if (stale.length === 0) return false
  const updates: number[] = []
  for (const { id } of stale) updates.push(...(await db.transaction((tx) => startUpdate(tx, id))))
  await allEnded(updates, context)
  return true
}

function isStale({ lastJobRun, updateCacheTimeout }: typeof inventorySources.$inferSelect, now: number): boolean {
  return lastJobRun === null || new Date(lastJobRun).getTime() + updateCacheTimeout * 1000 <= now
}

/** The update that is at work already, or a new one. */
async function startUpdate(tx: Database, sourceId: number): Promise<number[]> {
  const source = await lockInventorySource(tx, sourceId)
  if (!source) return []
  const [active] = await tx
    .select({ id: unifiedJobs.id })
    .from(unifiedJobs)
    .where(and(eq(unifiedJobs.inventorySourceId, sourceId), isActive))
    .limit(1)
  if (active) return [active.id]
  const id = await createInventoryUpdate(tx, source, { launchType: 'callback', createdById: null })
  await enqueue(tx, 'start', id)
  return [id]
}

const isActive = inArray(unifiedJobs.status, [...activeStatuses])

async function allEnded(ids: readonly number[], { db, deps, request }: RequestContext): Promise<void> {
  let wake = () => {}
  const unlisten = await deps.store.listen(channels.jobs, () => wake())
  try {
    const giveUpAt = Date.now() + patienceMs
    while (Date.now() < giveUpAt && !request.signal.aborted) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve
      })
      const active = await db
        .select({ id: unifiedJobs.id })
        .from(unifiedJobs)
        .where(and(inArray(unifiedJobs.id, [...ids]), isActive))
        .limit(1)
      if (active.length === 0) return
      await Promise.race([changed, pause(lookEveryMs)])
    }
  } finally {
    await unlisten()
  }
}
