import { patched, workflowInfo } from '@temporalio/workflow'
import type { PreparedInventoryUpdate, PreparedJob } from '../activities/types.ts'
import { prepare, prepareHere, prepareInventoryUpdate, prepareInventoryUpdateHere } from './activities.ts'
import type { JobInput } from './types.ts'
import { failedForGood } from './verdict.ts'

/** Brings a playbook job to the start line. */
export function prepareJob(input: JobInput): Promise<PreparedJob> {
  return hereOrQueued(
    input,
    () => prepareHere(input),
    () => prepare(input),
  )
}

/** Brings an inventory update to the start line. */
export function prepareUpdate(input: JobInput): Promise<PreparedInventoryUpdate> {
  return hereOrQueued(
    input,
    () => prepareInventoryUpdateHere(input),
    () => prepareInventoryUpdate(input),
  )
}

/** Prepares in this very workflow task where that works at once; what must be waited for is waited for in the queue (docs/decisions/0025). */
async function hereOrQueued<Prepared>(
  input: JobInput,
  here: () => Promise<Prepared>,
  queued: () => Promise<Prepared>,
): Promise<Prepared> {
  if (!mayPrepareHere(input)) return await queued()
  try {
    return await here()
  } catch (error) {
    if (failedForGood(error)) throw error
    // Also when its worker shut down. After a cancellation this throws at once.
    return await queued()
  }
}

/**
 * Whether the history of this job may have it prepared here. Releases that knew the queue only did not say so, nor did those that marked it with a patch, which costs two events and a write of
 * visibility for each job. Both branches may go when none of their jobs runs any more.
 */
function mayPrepareHere({ preparesHere }: JobInput): boolean {
  // A worker of such a release that ran beside this one has left its mark in the history, for which the SDK wants the question.
  const marked = (!preparesHere || workflowInfo().unsafe.isReplaying) && patched('prepare-here')
  return preparesHere || marked
}
