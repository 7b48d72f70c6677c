import { Context } from '@temporalio/activity'
import { type Cause, cause, causeStatus } from '../model/cause.ts'
import { isFinal } from '../model/job.ts'
import { type LocalResult, runLocally } from '../runner/inventory-update/run.ts'
import { ProjectUnreadableError } from '../runner/project/manual.ts'
import { noteHostLimit, olderInventoryUpdate } from '../store/inventory-updates.ts'
import { type JobRow, transitionJob } from '../store/job-status.ts'
import { storeControlPlaneEvents } from '../store/project-updates.ts'
import { readJob, readJobForRun } from '../store/run-document.ts'
import { beginOnControlPlane } from './begin-on-control-plane.ts'
import type { ActivityDeps } from './deps.ts'
import { endJob, throwEnded } from './end-job.ts'
import { changesOfCause, owner, throwIfAsked, verdictOfCause } from './failures.ts'
import { Heart } from './heart.ts'
import { bringIn, HostLimitError, readTold } from './inventory/bring-in.ts'
import { gatherUpdate, inventoryUpdatesFolder } from './inventory/gather.ts'
import { ownJob } from './own-job.ts'
import type { JobActivities, Verdict } from './types.ts'
import { takeUpdatePlace, waitInLine } from './update-turn.ts'

/**
 * Runs an inventory update on the control plane. A try that was interrupted is forgotten: the inventory changes only together with the verdict, so an
 * update does the same again at no harm.
 */
export function createUpdateInventoryActivity(deps: ActivityDeps): JobActivities['updateInventory'] {
  return async ({ jobId }) => {
    const heart = new Heart(Context.current())
    const { db } = deps.store
    try {
      await ownJob(deps, jobId, { restart: true })
      const document = await readJobForRun(db, jobId)
      if (!document || isFinal(document.job.status)) return await throwEnded(deps, jobId)
      const sourceId = document.job.inventorySourceId
      if (sourceId !== null)
        await waitInLine(deps, document.job, heart, () => olderInventoryUpdate(db, sourceId, jobId))
      using _place = takeUpdatePlace()
      await beginOnControlPlane(deps, jobId)
      const signal = heart.asked
      const { runId } = owner()
      const update = await gatherUpdate(deps, document, signal)
      const options = {
        root: inventoryUpdatesFolder(deps.settings),
        galaxy: deps.settings.ansibleGalaxy,
        signal,
      }
      const result = await runLocally(update, options, (rows) =>
        storeControlPlaneEvents(deps.store, { jobId, runId }, rows),
      )
      if (heart.stop.aborted) throwIfAsked()
      return await conclude(deps, jobId, result)
    } catch (error) {
      if (heart.stop.aborted) throwIfAsked()
      if (heart.cancel.aborted) return await endJob(deps, jobId, cause('canceled', ''))
      if (error instanceof ProjectUnreadableError)
        return await endJob(deps, jobId, cause('project_missing', error.message))
      throw error
    } finally {
      heart.end()
    }
  }
}

/** Imports and stores the verdict, both or none. */
async function conclude(deps: ActivityDeps, jobId: number, result: LocalResult): Promise<Verdict> {
  const job = await readJob(deps.store.db, jobId)
  if (!job) return await throwEnded(deps, jobId)
  const told = result.cause ? { inventory: null, cause: result.cause } : readTold(job, result.output)
  if (told.cause) return await finish(deps, job, result, told.cause)
  try {
    await deps.store.db.transaction(async (tx) => {
      const eventsEmitted = await bringIn(tx, job, told.inventory)
      await transitionJob(tx, jobId, 'successful', { ...facts(result), eventsEmitted }, owner().runId)
    })
    return { status: 'successful', cause: null, explanation: '', released: true }
  } catch (error) {
    if (!(error instanceof HostLimitError)) throw error
    await noteHostLimit(deps.store.db, jobId)
    return await finish(deps, job, result, cause('play_failed', error.message))
  }
}

async function finish(deps: ActivityDeps, job: JobRow, result: LocalResult, found: Cause): Promise<Verdict> {
  const changes = {
    ...facts(result),
    eventsEmitted: result.lines.count,
    ...changesOfCause(found),
  }
  await transitionJob(deps.store.db, job.id, causeStatus[found.kind], changes, owner().runId)
  return verdictOfCause(found, true)
}

const facts = ({ jobArgs, jobCwd, jobEnv }: LocalResult) => ({ jobArgs, jobCwd, jobEnv })
