import { and, eq, getTableColumns, inArray, isNull, type Placeholder, type SQL, sql } from 'drizzle-orm'
import { neverFits, type Refusal, refusalOf, type Taken } from '../model/capacity.ts'
import { isFinal, type JobStatus } from '../model/job.ts'
import { channels } from './channel.ts'
import type { Database } from './database.ts'
import { MissingRowError } from './errors.ts'
import { FencedError } from './fence.ts'
import { jobLocked } from './lock-order.ts'
import { notify } from './notify.ts'
import { holdsTestPlace } from './preflights.ts'
import { preparedOn, preparedVariants } from './prepared.ts'
import { instanceGroups } from './schema/catalog.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { attempts } from './schema/runtime.ts'
import { countOfHosts, hostsEnough, type ImpactColumns, impactOf } from './task-impact.ts'

/** An attempt as stored. */
export type AttemptRow = typeof attempts.$inferSelect

/** A run of a workflow wants a place of a group for its job. */
export interface ClaimRequest {
  jobId: number
  groupId: number
  workflowId: string
  runId: string
}

/** What became of a request for a place. */
export type Claim =
  /** The job's live attempt: new, the one this run made before (perhaps in another group), or taken over from an earlier run. */
  | { attempt: AttemptRow; takenOver: boolean }
  /** The group has no place just now. */
  | { refused: Refusal }
  /** The job alone counts for more forks than the group ever has. */
  | { neverFits: { maxForks: number; impact: number } }
  /** The job has ended; it needs no place. */
  | { ended: JobStatus }

/**
 * Claims a place of the group, exactly: claims of one group wait for each other, and so do claims of one job in several groups. A group
 * never has more live attempts than max_concurrent_jobs, nor do their impacts ever add up to more than max_forks (0: no limit), and a job
 * never has two. A group that is drained gives none. Throws FencedError when another run owns the job.
 */
export async function claimAttempt(db: Database, request: ClaimRequest): Promise<Claim> {
  try {
    return await db.transaction(async (tx) => await claimIn(tx, request))
  } catch (error) {
    if (error instanceof NoPlace) return { refused: error.refusal }
    throw error
  }
}

/** Thrown out of the transaction, which then has claimed nothing. */
class NoPlace extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(`no place: ${refusal.limit}`)
    this.refusal = refusal
  }
}

async function claimIn(tx: Database, { jobId, groupId, workflowId, runId }: ClaimRequest): Promise<Claim> {
  // Always the job first, then the group, so that two claims never wait for each other crosswise. NO KEY: referring rows need not wait.
  const [job] = await claimingJob(tx).execute({ jobId })
  if (!job) throw new MissingRowError(`job ${jobId} does not exist`)
  if (job.runId !== null && job.runId !== runId) throw new FencedError(`job ${jobId}`, runId)
  if (isFinal(job.status)) return { ended: job.status }
  // A job without a numbered attempt has none.
  const live = job.attemptCount === 0 ? undefined : await liveAttempt(tx, jobId)
  if (live?.runId === runId) return { attempt: live, takenOver: false }
  if (live) {
    const [attempt] = await tx.update(attempts).set({ runId, workflowId }).where(eq(attempts.id, live.id)).returning()
    if (attempt) return { attempt, takenOver: true }
  }
  const { inventoryId } = job
  const [found] = await claimedGroup(tx, job).execute({ groupId, inventoryId, enough: hostsEnough(job) })
  if (!found) throw new MissingRowError(`instance group ${groupId} does not exist`)
  const { group, hosts } = found
  const impact = impactOf(job, hosts)
  const { maxForks } = group
  if (neverFits(group, impact)) return { neverFits: { maxForks, impact } }
  const closed = refusalOf(group, nothingTaken, impact)
  if (closed) return { refused: closed }
  const number = job.attemptCount + 1
  const memoryBytes = job.retries.memory_bytes ?? null
  // The statement that makes the attempt counts the others. It begins when the group is locked, so what was claimed until then is among them; and as it is the last one,
  // the next in line waits for no more than it and the commit.
  const values = { jobId, groupId, workflowId, runId, number, impact, memoryBytes }
  const [made] = await newAttempt(tx).execute(values)
  if (!made) throw new MissingRowError(`attempt ${number} of job ${jobId} was not made`)
  const { jobs, forks, ...attempt } = made
  const refused = refusalOf(group, { jobs, forks }, impact)
  if (refused) throw new NoPlace(refused)
  return { attempt, takenOver: false }
}

/** The attempt by which a job holds a place, if it holds one. */
export async function liveAttempt(db: Database, jobId: number): Promise<AttemptRow | undefined> {
  const [attempt] = await db
    .select()
    .from(attempts)
    .where(and(eq(attempts.jobId, jobId), isNull(attempts.releasedAt)))
  return attempt
}

const nothingTaken: Taken = { jobs: 0, forks: 0 }

/** Locks a job, and reads of it what a claim needs. */
const claimingJob = preparedOn((db) => {
  const { id, runId, status, attemptCount, retries } = unifiedJobs
  const { type, launchType, forks, inventoryId, jobSliceNumber, jobSliceCount, container } = unifiedJobs
  const ofImpact = { type, launchType, forks, inventoryId, jobSliceNumber, jobSliceCount, container }
  return db
    .select({ runId, status, attemptCount, retries, ...ofImpact })
    .from(unifiedJobs)
    .where(eq(id, sql.placeholder('jobId')))
    .for('no key update')
    .prepare('claiming_job')
})

/** Locks a group, and counts the hosts of the job that wants a place there. */
const claimedGroup = preparedVariants(
  'claimed_group',
  ({ inventoryId }: Pick<ImpactColumns, 'inventoryId'>) => (inventoryId === null ? 'no hosts' : 'hosts'),
  (db: Database, { inventoryId }, name) =>
    db
      .select({
        group: instanceGroups,
        hosts: countOfHosts(inventoryId && sql.placeholder('inventoryId'), sql.placeholder('enough')),
      })
      .from(instanceGroups)
      .where(eq(instanceGroups.id, sql.placeholder('groupId')))
      .for('no key update')
      .prepare(name),
)

/** Makes an attempt, writes it down on its job, and tells what is taken of the group without it. */
const newAttempt = preparedOn((db) => {
  const value = sql.placeholder
  const job = db.$with('job', {}).as(sql`
    UPDATE unified_jobs SET attempt_count = ${value('number')}, instance_group_id = ${value('groupId')} WHERE id = ${value('jobId')}`)
  return db
    .with(job)
    .insert(attempts)
    .values({
      jobId: value('jobId'),
      number: value('number'),
      instanceGroupId: value('groupId'),
      workflowId: value('workflowId'),
      runId: value('runId'),
      phase: 'claimed',
      impact: value('impact'),
      memoryBytes: value('memoryBytes'),
    })
    .returning({
      ...getTableColumns(attempts),
      ...takenColumns(value('groupId')),
    })
    .prepare('new_attempt')
})

/** What is taken of a group. To be asked while the group's row is locked. */
export async function takenOf(tx: Database, groupId: number): Promise<Taken> {
  const [row] = await tx.select(takenColumns(groupId)).from(sql`(SELECT) AS once`)
  return row ?? nothingTaken
}

/** What is taken of a group: by attempts, and by the pods of its tests, each of which counts for one job and one fork. */
function takenColumns(groupId: number | Placeholder) {
  const count = (attempts: SQL) => sql<number>`(
    SELECT (${attempts} + (SELECT count(*) FROM preflight_reports WHERE instance_group_id = ${groupId} AND ${holdsTestPlace()}))::int
    FROM attempts WHERE instance_group_id = ${groupId} AND released_at IS NULL)`
  return { jobs: count(sql`count(*)`).as('jobs'), forks: count(sql`coalesce(sum(impact), 0)`).as('forks') }
}

/**
 * Gives back a claim that got no pod, as if it had not been made. `numberUnused`: no pod of its number can exist, so the next attempt may
 * have the number. Throws FencedError when another run owns it or it has a pod.
 */
export async function unclaim(
  db: Database,
  owned: { attemptId: number; runId: string; numberUnused?: boolean },
): Promise<void> {
  await db.transaction(async (tx) => {
    const [gone] = await tx
      .delete(attempts)
      .where(
        and(
          eq(attempts.id, owned.attemptId),
          eq(attempts.runId, owned.runId),
          eq(attempts.phase, 'claimed'),
          jobLocked(owned.attemptId),
        ),
      )
      .returning()
    if (!gone) {
      const [left] = await tx.select({ id: attempts.id }).from(attempts).where(eq(attempts.id, owned.attemptId))
      if (left) throw new FencedError(`attempt ${owned.attemptId}`, owned.runId)
      return
    }
    // Else attempt_count stays: the number may have named a pod that was created without our hearing of it.
    await tx
      .update(unifiedJobs)
      .set({
        instanceGroupId: sql`CASE WHEN ${unifiedJobs.status} = 'pending' THEN NULL ELSE instance_group_id END`,
        ...(owned.numberUnused ? { attemptCount: gone.number - 1 } : {}),
      })
      .where(eq(unifiedJobs.id, gone.jobId))
    if (gone.instanceGroupId !== null) await notify(tx, channels.groups, gone.instanceGroupId)
  })
}

/** Ends an attempt that was not delivered yet, so that it can be released. False when it is further on, or another run owns it. */
export async function withdraw(db: Database, owned: { attemptId: number; runId: string }): Promise<boolean> {
  const rows = await db
    .update(attempts)
    .set({ phase: 'ended', endedAt: sql`now()` })
    .where(
      and(
        eq(attempts.id, owned.attemptId),
        eq(attempts.runId, owned.runId),
        inArray(attempts.phase, ['claimed', 'created']),
      ),
    )
    .returning({ id: attempts.id })
  return rows.length > 0
}

/**
 * Makes this run the owner of whatever live attempts the job has, and returns them: from now on the earlier run's writes are refused. `end`:
 * they are leftovers, to be released only.
 */
export async function takeOverAttempts(
  db: Database,
  job: { jobId: number; workflowId: string; runId: string; end?: boolean },
): Promise<AttemptRow[]> {
  return await db
    .update(attempts)
    .set({
      runId: job.runId,
      workflowId: job.workflowId,
      ...(job.end ? { phase: 'ended', endedAt: sql`coalesce(${attempts.endedAt}, now())` } : {}),
    })
    .where(and(eq(attempts.jobId, job.jobId), isNull(attempts.releasedAt)))
    .returning()
}
