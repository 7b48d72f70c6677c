import { patched } from '@temporalio/workflow'
import type { PreparedInventoryUpdate, PreparedJob } from '../activities/types.ts'
import { prepare, prepareHere, prepareInventoryUpdate, prepareInventoryUpdateHere } from './activities.ts'
import type { JobInput } from './types.ts'
import { failedForGood } from './verdict.ts'

/** Brings a playbook job to the start line. */
export function prepareJob(input: JobInput): Promise<PreparedJob> {
  return hereOrQueued(
    () => prepareHere(input),
    () => prepare(input),
  )
}

/** Brings an inventory update to the start line. */
export function prepareUpdate(input: JobInput): Promise<PreparedInventoryUpdate> {
  return hereOrQueued(
    () => prepareInventoryUpdateHere(input),
    () => prepareInventoryUpdate(input),
  )
}

/** Prepares in this very workflow task where that works at once; what must be waited for is waited for in the queue (docs/decisions/0025). */
async function hereOrQueued<Prepared>(
  here: () => Promise<Prepared>,
  queued: () => Promise<Prepared>,
): Promise<Prepared> {
  // Histories of releases that knew the queue only; the branch may go when none of their jobs runs any more.
  if (!patched('prepare-here')) return await queued()
  try {
    return await here()
  } catch (error) {
    if (failedForGood(error)) throw error
    // Also when its worker shut down. After a cancellation this throws at once.
    return await queued()
  }
}
