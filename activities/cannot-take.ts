import type { BrakeKind } from '../model/brake.ts'
import type { Cause } from '../model/cause.ts'
import { type Away, hopelessText, isHopeless, type PassedOver } from '../model/passed-over.ts'
import { groupsBrakedBy } from '../store/groups.ts'
import type { JobRow } from '../store/job-status.ts'
import { notePassedOver } from '../store/passed-over.ts'
import { groupNames } from '../store/prepare.ts'
import { explainWaiting } from '../store/waiting.ts'
import type { ActivityDeps } from './deps.ts'
import { endJob } from './end-job.ts'
import { noCapacity, unusableGroup } from './failures.ts'
import { AwayError } from './no-room.ts'
import type { AdmitInput } from './types.ts'

/** A job that has other groups goes back to the queue, where it costs nothing until the brake lets one try again. */
const backInQueueMs = 250

/** What closes a group's gate to all of its jobs until somebody or something repairs it. */
const awayKinds: readonly BrakeKind[] = ['unreachable', 'misconfigured']

/** A group that cannot take a job. */
export interface CannotTake {
  job: JobRow
  /** away: it counts as full until it is back; cannot_run: it is not asked any more. */
  why: Away | 'cannot_run'
  found: Cause
  /** Since when, ISO; absent: since now. */
  since?: string
  /** The job keeps its claim while it waits: nobody knows whether its pod was created. */
  holds?: boolean
  /** What is to be done before the job goes on without this group; `last`: it does not go on. */
  clear?: (last: boolean) => Promise<void>
}

/**
 * What it means for a job that a group cannot take it: the job goes on waiting in its other groups, and this one is asked again unless it never can; one
 * that has no other waits here as long as there is patience. When none of its groups may take it any more the job ends, and says why of each.
 */
export async function cannotTake(deps: ActivityDeps, input: AdmitInput, group: CannotTake): Promise<never> {
  const { db } = deps.store
  const { jobId, groupId, hasOthers } = input
  const { job, found } = group
  const eligible = hasOthers ? await groupNames(db, job.eligibleGroups) : []
  // One that was deleted does not come back.
  const why = hasOthers && !eligible.some(({ id }) => id === groupId) ? 'cannot_run' : group.why
  const name = (await groupNames(db, [groupId]))[0]?.name ?? String(groupId)
  const entries = await notePassedOver(db, job, {
    groupId,
    group: name,
    why,
    message: found.message,
    since: group.since,
  })
  const groups = hasOthers ? eligible.map(({ id }) => id) : [groupId]
  const away = new Set([groupId, ...(await groupsBrakedBy(db, groups, awayKinds))])
  const now = Date.now()
  const waitingSince = job.waitingSince === null ? now : Date.parse(job.waitingSince)
  const last = isHopeless({ groups, entries, away, patienceMs: (entry) => patienceMs(deps, entry), waitingSince, now })
  if (last) {
    await group.clear?.(true)
    return await endJob(deps, jobId, hasOthers ? { ...found, message: hopelessText(entries) } : found)
  }
  if (group.holds) {
    await explainWaiting(db, jobId, 'cluster', found.message)
    throw new AwayError(found.message)
  }
  await group.clear?.(false)
  if (why === 'cannot_run') {
    deps.log.info({ job: jobId, reason: found.message }, 'an instance group cannot run the job; it waits for others')
    throw unusableGroup(found)
  }
  if (!hasOthers) {
    await explainWaiting(db, jobId, 'cluster', found.message)
    throw new AwayError(found.message)
  }
  await deps.gates.closeBrake(groupId, found.message, why)
  throw noCapacity(found.message, backInQueueMs)
}

/** A cluster that this process has heard of is known to be one, and its return is waited for longer. What is misconfigured does not return by itself. */
function patienceMs({ gates, settings }: ActivityDeps, { groupId, why }: PassedOver): number {
  const { podPendingSeconds, endpointPatienceSeconds } = settings
  const returns = why === 'unreachable' && gates.reached(groupId)
  return (returns ? podPendingSeconds : endpointPatienceSeconds) * 1000
}
