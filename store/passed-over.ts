import { eq } from 'drizzle-orm'
import { blocksOf, type GroupLoad, whyOf } from '../model/group-load.ts'
import { noted, openEntry, type PassedOver, settled } from '../model/passed-over.ts'
import type { Database } from './database.ts'
import { groupLoads } from './group-load.ts'
import type { JobRow } from './job-status.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { impactsOf } from './task-impact.ts'

/** Why a group did not take the job. */
export type Refused = Pick<PassedOver, 'groupId' | 'group' | 'why' | 'message'> & { since?: string | undefined }

/** The columns of a job that are needed to say how a group looks to it. */
type Waiting = Parameters<typeof impactsOf>[1][number] & Pick<JobRow, 'waitingSince' | 'eligibleGroups' | 'passedOver'>

/**
 * Notes on a pending job that a group did not take it, since when, and why; writes only when that has changed. Returns the job's record, as it stands then.
 */
export async function notePassedOver(db: Database, job: Waiting, refused: Refused): Promise<readonly PassedOver[]> {
  const { groupId, group, why, message } = refused
  if (openEntry(job.passedOver, groupId)?.why === why) return job.passedOver
  const [loads, impacts] = await Promise.all([groupLoads(db, [groupId]), impactsOf(db, [job])])
  const load = loads.get(groupId)
  const blocks = load ? blocksOf(load, { impact: impacts.get(job.id) ?? 1, waitingSince: job.waitingSince }) : []
  const now = new Date().toISOString()
  const since = blocks.find((block) => whyOf(block) === why)?.since ?? refused.since ?? now
  return await change(db, job.id, (entries) =>
    noted(entries, { groupId, group, why, message, since: iso(since), until: null }, now),
  )
}

/**
 * Closes the record of a job that a group takes, within the caller's transaction, in which the job's row is locked. Of groups that it prefers to this one and
 * that never offered to take it, because a full group asks for no jobs, it is noted what kept it out.
 */
export async function settlePassedOver(tx: Database, job: Waiting, takenBy: number): Promise<void> {
  const preferred = job.eligibleGroups.slice(0, Math.max(0, job.eligibleGroups.indexOf(takenBy)))
  const loads = await groupLoads(tx, preferred)
  const impacts = loads.size > 0 ? await impactsOf(tx, [job]) : new Map<number, number>()
  const now = new Date().toISOString()
  const entryOf = (load: GroupLoad): PassedOver | null => {
    const [block] = blocksOf(load, { impact: impacts.get(job.id) ?? 1, waitingSince: job.waitingSince })
    if (!block) return null
    const { message, since } = block
    return { groupId: load.id, group: load.name, why: whyOf(block), message, since: iso(since ?? now), until: null }
  }
  await change(tx, job.id, (entries) => {
    const silent = preferred.filter((groupId) => !openEntry(entries, groupId))
    const found = silent.flatMap((groupId) => {
      const load = loads.get(groupId)
      return (load && entryOf(load)) ?? []
    })
    const open = entries.some(({ until }) => until === null)
    return open || found.length > 0 ? settled([...entries, ...found], now) : entries
  })
}

/** Applies a change to the record of a job whose row it locks; writes nothing when it is the same list. */
async function change(
  db: Database,
  jobId: number,
  apply: (entries: readonly PassedOver[]) => readonly PassedOver[],
): Promise<readonly PassedOver[]> {
  return await db.transaction(async (tx) => {
    const [row] = await tx
      .select({ entries: unifiedJobs.passedOver, status: unifiedJobs.status })
      .from(unifiedJobs)
      .where(eq(unifiedJobs.id, jobId))
      .for('no key update')
    if (row?.status !== 'pending') return row?.entries ?? []
    const entries = apply(row.entries)
    if (entries !== row.entries) {
      await tx
        .update(unifiedJobs)
        .set({ passedOver: [...entries] })
        .where(eq(unifiedJobs.id, jobId))
    }
    return entries
  })
}

function iso(instant: string): string {
  return new Date(instant).toISOString()
}
