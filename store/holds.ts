import { and, eq, gt, isNull, type SQL, sql } from 'drizzle-orm'
import { longestHoldSeconds } from '../model/hold.ts'
import { isFinal } from '../model/job.ts'
import { channels } from './channel.ts'
import type { AttemptRow } from './claims.ts'
import type { Database } from './database.ts'
import { notify } from './notify.ts'
import { enqueue } from './outbox.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { attempts } from './schema/runtime.ts'

/** The attempt of a job whose pod is kept, as a condition. */
const heldOf = (jobId: number): SQL | undefined =>
  and(eq(attempts.jobId, jobId), isNull(attempts.releasedAt), gt(attempts.heldUntil, sql`now()`))

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
      msLeft: sql<number>`ceil(extract(epoch FROM ${attempts.heldUntil} - now()) * 1000)::float8`,
    })
    .from(attempts)
    .where(heldOf(jobId))
  if (!row?.attempt.heldUntil) return null
  return { attempt: row.attempt, heldUntil: row.attempt.heldUntil, msLeft: row.msLeft }
}

/** Ends the keeping of a job's pod, and tells its workflow. False when none is kept. */
export async function endHold(tx: Database, jobId: number): Promise<boolean> {
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
  const [job] = await tx.select().from(unifiedJobs).where(eq(unifiedJobs.id, jobId)).for('no key update')
  if (!job) return 'too late'
  if (!isFinal(job.status)) {
    await tx.update(unifiedJobs).set({ holdOnFailureSeconds: seconds }).where(eq(unifiedJobs.id, jobId))
    await notify(tx, channels.jobs, jobId)
    return 'when it fails'
  }
  const heldUntil = await changeHold(tx, jobId, until(seconds))
  return heldUntil === null ? 'too late' : { heldUntil }
}

async function changeHold(tx: Database, jobId: number, to: SQL): Promise<string | null> {
  // The job before its attempts (lock-order.ts).
  await tx.select({ id: unifiedJobs.id }).from(unifiedJobs).where(eq(unifiedJobs.id, jobId)).for('no key update')
  const [held] = await tx
    .update(attempts)
    .set({ heldUntil: to })
    .where(heldOf(jobId))
    .returning({ heldUntil: attempts.heldUntil })
  if (!held?.heldUntil) return null
  await enqueue(tx, 'progress', jobId)
  await notify(tx, channels.jobs, jobId)
  return held.heldUntil
}
