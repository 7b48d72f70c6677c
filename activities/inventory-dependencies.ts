import { cause } from '../model/cause.ts'
import { countsAsFailed, isFinal } from '../model/job.ts'
import { previousTask, updateOnLaunch } from '../model/project-update.ts'
import type { Database } from '../store/database.ts'
import {
  inventoryUpdatesBefore,
  linkInventoryUpdates,
  lockInventorySource,
  sourcesUpdatedOnLaunch,
} from '../store/inventory-updates.ts'
import type { JobRow } from '../store/job-status.ts'
import { createInventoryUpdate, type InventorySourceRow } from '../store/launch/inventory-update.ts'
import { type RunDocument, readJob } from '../store/run-document.ts'
import { explainWaiting } from '../store/waiting.ts'
import type { ActivityDeps } from './deps.ts'
import { endJob } from './end-job.ts'
import type { Dependency } from './types.ts'

/**
 * The updates of its inventory that a job must wait for: those of sources that are updated on launch, made now where the last is too old, and those that
 * are at work for another reason. An update of a constructed inventory waits for those of its inputs. Asked again when they have ended: one that was
 * made for launches and did not succeed ends the job, in the words that AWX's clients parse.
 */
export async function inventoryUpdatesOf(deps: ActivityDeps, { job, inventory }: RunDocument): Promise<Dependency[]> {
  if (!inventory) return []
  const { db } = deps.store
  const sources = await sourcesFor(db, job, inventory.id)
  const ids = job.inventoryUpdateIds.length > 0 ? job.inventoryUpdateIds : await updatesFor(deps, job, sources)
  const waiting: Dependency[] = []
  for (const id of ids) {
    const update = await readJob(db, id)
    if (!update) continue
    if (!isFinal(update.status)) {
      waiting.push({ jobId: id, kind: 'inventory_update', title: update.name, shared: true })
    } else if (countsAsFailed(update.status) && sources.some((source) => source.id === update.inventorySourceId)) {
      const canceled = update.status === 'canceled'
      const message = previousTask(canceled ? 'Canceled' : 'Failed', update)
      await endJob(deps, job.id, cause(canceled ? 'canceled' : 'dependency_failed', message, update.jobExplanation))
    }
  }
  const [first] = waiting
  if (first) await explainWaiting(db, job.id, 'dependency', `waiting for inventory_update-${first.jobId} to finish`)
  return waiting
}

/** Sources whose update the job asks for. An ad hoc command takes the inventory as it is. */
async function sourcesFor(db: Database, job: JobRow, inventoryId: number): Promise<InventorySourceRow[]> {
  if (job.type === 'job') return await sourcesUpdatedOnLaunch(db, inventoryId, 'own')
  if (job.type === 'inventory_update' && job.source === 'constructed')
    return await sourcesUpdatedOnLaunch(db, inventoryId, 'inputs')
  return []
}

async function updatesFor(
  { store }: ActivityDeps,
  job: JobRow,
  sources: readonly InventorySourceRow[],
): Promise<number[]> {
  const inventoryId = job.type === 'inventory_update' ? null : job.inventoryId
  // Mostly nothing is to be decided, and then nothing to be locked.
  if (sources.length === 0 && inventoryId !== null) {
    const before = await inventoryUpdatesBefore(store.db, inventoryId, job.id)
    if (before.length === 0) return []
  }
  return await store.db.transaction(async (tx) => {
    const ids: number[] = []
    for (const source of sources) {
      const id = await updateFor(tx, job, source)
      if (id !== null) ids.push(id)
    }
    if (inventoryId !== null) ids.push(...(await inventoryUpdatesBefore(tx, inventoryId, job.id)))
    if (ids.length > 0) await linkInventoryUpdates(tx, job.id, ids)
    return [...new Set(ids)]
  })
}

/** The update that serves the job; null when the last one is young enough. Of many jobs that ask at once, one makes the update and the others find it. */
async function updateFor(tx: Database, job: JobRow, { id }: InventorySourceRow): Promise<number | null> {
  const source = await lockInventorySource(tx, id)
  if (!source) return null
  const newestId = source.currentJobId ?? source.lastJobId
  const newest = newestId === null ? undefined : await readJob(tx, newestId)
  const ms = (instant: string | null) => (instant === null ? null : Date.parse(instant))
  const decision = updateOnLaunch(
    newest ? { status: newest.status, startedMs: ms(newest.started), finishedMs: ms(newest.finished) } : null,
    {
      // A Reset begins the job anew, and touches it.
      launchedMs: Date.parse(job.modified),
      nowMs: Date.now(),
      cacheSeconds: source.updateCacheTimeout,
    },
  )
  if (decision === 'reuse') return null
  if (decision === 'join' && newest) return newest.id
  return await createInventoryUpdate(tx, source, {
    launchType: 'dependency',
    createdById: null,
    priority: job.priority,
  })
}
