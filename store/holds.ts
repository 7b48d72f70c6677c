import { and, eq, gt, isNull, lte, type SQL, sql } from 'drizzle-orm'
import { drainedHoldText, longestHoldSeconds } from '../model/hold.ts'
import { isFinal } from '../model/job.ts'
import { channels } from './channel.ts'
import type { AttemptRow } from './claims.ts'
import type { Database } from './database.ts'
import { lockJobIfThere } from './lock-order.ts'
import { notify } from './notify.ts'
import { enqueue } from './outbox.ts'
import { instanceGroups } from './schema/catalog.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { attempts } from './schema/runtime.ts'

const drainDeadline = sql`(SELECT ${instanceGroups.drainDeadline} FROM ${instanceGroups}
  WHERE ${instanceGroups.id} = ${attempts.instanceGroupId} AND ${instanceGroups.drainingSince} IS NOT NULL)`

/** Until when the pod of an attempt is kept: for the time that was asked for, but not past the deadline of its group's drain. Null: it is not to be kept. */
export const keptUntil = sql<string | null>`CASE WHEN ${attempts.heldUntil} IS NOT NULL
  THEN least(${attempts.heldUntil}, ${drainDeadline}) END`.mapWith(attempts.heldUntil)

/** Attempts whose pods are kept, as a condition. */
export const isHeld = (): SQL | undefined => and(isNull(attempts.releasedAt), gt(keptUntil, sql`now()`))

/** Attempts whose pods were to be kept longer than until now, whatever a drain says, as a condition. */
const isAskedFor = (): SQL | undefined => and(isNull(attempts.releasedAt), gt(attempts.heldUntil, sql`now()`))

/** The attempt of a job whose pod is kept, as a condition. */
const heldOf = (jobId: number): SQL | undefined => and(eq(attempts.jobId, jobId), isHeld())

/** From now, and no longer than the pod's container waits for us. */
const until = (seconds: number): SQL =>
  sql`least(now() + make_interval(secs => ${seconds}), ${attempts.endedAt} + make_interval(secs => ${longestHoldSeconds}))`

/** Keeps the pod of an attempt, within the transaction that ends it. False for 0 seconds. */
export async function holdPod(tx: Database, attempt: Pick<AttemptRow, 'id'>, seconds: number): Promise<boolean> {
  if (seconds <= 0) return false
  await tx
    .update(attempts)
    .set({ heldUntil: until(seconds) })
    .where(eq(attempts.id, attempt.id))
  return true
}

/** How long a job's pod is still to be kept; null when none is. */
export async function readHold(
  db: Database,
  jobId: number,
): Promise<{ attempt: AttemptRow; heldUntil: string; msLeft: number } | null> {
  const [row] = await db
    .select({
      attempt: attempts,
      heldUntil: keptUntil,
      msLeft: sql<number>`ceil(extract(epoch FROM ${keptUntil} - now()) * 1000)::float8`,
    })
    .from(attempts)
    .where(heldOf(jobId))
  if (!row?.heldUntil) return null
  return { attempt: row.attempt, heldUntil: row.heldUntil, msLeft: row.msLeft }
}

/** Tells the workflows of jobs whose pods are kept in a group that its drain has changed, and so perhaps until when. */
export async function reviewHolds(tx: Database, groupId: number): Promise<void> {
  const held = await tx
    .select({ jobId: attempts.jobId })
    .from(attempts)
    .where(and(eq(attempts.instanceGroupId, groupId), isAskedFor()))
  for (const { jobId } of held) await enqueue(tx, 'progress', jobId)
}

/** Writes on a job's record that its pod goes before its time, where the deadline of its group's drain has ended the keeping; once. */
export async function recordDrainedHold(db: Database, jobId: number): Promise<void> {
  await db.transaction(async (tx) => {
    await lockJobIfThere(tx, jobId)
    const [found] = await tx
      .select({ attempt: attempts, deadline: keptUntil, group: instanceGroups.name })
      .from(attempts)
      .innerJoin(instanceGroups, eq(instanceGroups.id, attempts.instanceGroupId))
      .where(and(eq(attempts.jobId, jobId), isAskedFor(), lte(keptUntil, sql`now()`)))
    if (!found?.deadline || !found.attempt.heldUntil) return
    const { attempt, deadline, group } = found
    const told = drainedHoldText(group, { askedFor: found.attempt.heldUntil, deadline })
    await tx.update(attempts).set({ heldUntil: deadline }).where(eq(attempts.id, attempt.id))
    await tx
      .update(unifiedJobs)
      .set({ jobExplanation: sql`concat_ws(' ', nullif(${unifiedJobs.jobExplanation}, ''), ${told}::text)` })
      .where(eq(unifiedJobs.id, jobId))
    await notify(tx, channels.jobs, jobId)
  })
}

/** Ends the keeping of a job's pod, and tells its workflow. False when none is kept. */
export async function endHold(tx: Database, jobId: number): Promise<boolean> {
  await lockJobIfThere(tx, jobId)
  return (await changeHold(tx, jobId, sql`now()`)) !== null
}

/** What became of a wish to keep a pod. */
export type HoldOutcome =
  /** It is kept until then. */
  | { heldUntil: string }
  /** The job is at work: its pod will be kept when it fails. */
  | 'when it fails'
  /** It has ended, and its pod is not kept: nothing can bring it back. */
  | 'too late'

/** Keeps a job's pod for so many seconds from now if it is kept already, else from the job's failure on. The job is locked by this. */
export async function requestHold(tx: Database, jobId: number, seconds: number): Promise<HoldOutcome> {
  // Whoever ends the job holds this lock, too: a wish either comes before the end and is seen, or finds what became of the pod.
  const job = await lockJobIfThere(tx, jobId)
  if (!job) return 'too late'
  if (!isFinal(job.status)) {
    await tx.update(unifiedJobs).set({ holdOnFailureSeconds: seconds }).where(eq(unifiedJobs.id, jobId))
    await notify(tx, channels.jobs, jobId)
    return 'when it fails'
  }
  const heldUntil = await changeHold(tx, jobId, until(seconds))
  return heldUntil === null ? 'too late' : { heldUntil }
}

/** Of a job that the caller's transaction has locked. Null when no pod is kept. */
async function changeHold(tx: Database, jobId: number, to: SQL): Promise<string | null> {
  const [held] = await tx
    .update(attempts)
    .set({ heldUntil: to })
    .where(heldOf(jobId))
    .returning({ heldUntil: keptUntil })
  if (!held?.heldUntil) return null
  await enqueue(tx, 'progress', jobId)
  await notify(tx, channels.jobs, jobId)
  return held.heldUntil
}
