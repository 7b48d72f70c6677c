import { and, eq, sql } from 'drizzle-orm'
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core'
import type { CauseKind } from '../model/cause.ts'
import { countsAsFailed, isFinal, type JobStatus, mayFollow } from '../model/job.ts'
import type { Retries } from '../model/retry.ts'
import { channels } from './channel.ts'
import type { Database } from './database.ts'
import { MissingRowError } from './errors.ts'
import { FencedError } from './fence.ts'
import { followUp, furtherFollowUp } from './job-follow-up.ts'
import { lockJob } from './lock-order.ts'
import { notify } from './notify.ts'
import { preparedOn } from './prepared.ts'
import { artifactChunks, jobEvents, jobHostSummaries, unifiedJobs } from './schema/jobs.ts'
import { inTransaction } from './transaction.ts'
import { derivedColumns, prefixed, transition, written } from './transition.ts'

/** A job of any kind as stored. */
export type JobRow = typeof unifiedJobs.$inferSelect

/** A status was asked for that cannot follow the job's present one (model/job.ts). */
export class TransitionError extends Error {
  override readonly name = 'TransitionError'
}

/** Columns that a transition may set beside the status. */
type FreeColumns =
  | 'eventsEmitted'
  | 'hostStatusCounts'
  | 'playCount'
  | 'taskCount'
  | 'artifacts'
  | 'scmRevision'
  | 'jobArgs'
  | 'jobCwd'
  | 'jobEnv'
  | 'executionNode'
  | 'controllerNode'
  | 'workUnitId'
  | 'instanceGroupId'
  | 'executionEnvironmentId'
  | 'approvedOrDeniedById'
  | 'timedOut'
  | 'cancelFlag'

/** What a transition may change besides the status. */
export interface JobChanges extends Partial<Pick<JobRow, FreeColumns>> {
  /** Why the job ended; kept with a final status only. */
  cause?: CauseKind | null
  /** Appended to job_explanation, on a line of its own. */
  explanation?: string
  /** Appended to result_traceback, on a line of its own. */
  traceback?: string
}

/** What became of a transition. */
export interface Transition {
  /** False when the job already had a final status: nothing was changed. */
  applied: boolean
  job: JobRow
}

/**
 * Moves a job to a status with everything AWX derives from it: failed, started, finished, elapsed, canceled_on, the
 * explanation cleared when it leaves pending, its template's or project's last and current job; launch secrets are wiped at the end. A
 * final status is never overwritten; the same active status again only applies the changes. Notifies `jobs`. With `runId`, throws
 * FencedError when another run owns the job.
 */
export async function transitionJob(
  db: Database,
  jobId: number,
  to: JobStatus,
  changes: JobChanges = {},
  runId?: string | null,
): Promise<Transition> {
  return await inTransaction(db, async (tx) => {
    const before = await lockJob(tx, jobId)
    if (runId !== undefined && before.runId !== runId) throw new FencedError(`job ${jobId}`, runId)
    return await transitionLocked(tx, before, to, changes)
  })
}

/**
 * As transitionJob, for a job that the caller's transaction has locked and read. The job, what it was made from, its hosts and the notification are one
 * statement: jobs by the hundred share a template and hosts, so those must be locked as shortly before the commit as can be.
 */
export async function transitionLocked(
  tx: Database,
  before: JobRow,
  to: JobStatus,
  changes: JobChanges = {},
): Promise<Transition> {
  const { id, status } = before
  if (isFinal(status)) return { applied: false, job: before }
  if (status !== to && !mayFollow(status, to))
    throw new TransitionError(`job ${id} is ${status} and cannot become ${to}`)
  const moves = status !== to
  const columns = columnsFor(before, to, changes)
  const after = { ...before, status: to, failed: countsAsFailed(to), timedOut: changes.timedOut ?? before.timedOut }
  const [row] = await transition(tx, { after, columns, moves }).execute({ ...after, ...prefixed(columns) })
  if (!row) throw new MissingRowError(`job ${id} does not exist`)
  const { isAnnounced: announced, told: _told, ...workedOut } = row
  const job = written(before, columns, workedOut)
  if (moves) await furtherFollowUp(tx, job, announced)
  return { applied: true, job }
}

/**
 * What is known of a run once it has begun. Notifies `jobs`. Changes nothing of a job that runs no more; throws FencedError when another run owns it.
 */
export async function describeRun(
  db: Database,
  jobId: number,
  runId: string,
  starting: Pick<JobRow, 'jobArgs' | 'jobCwd' | 'jobEnv'>,
): Promise<void> {
  const told = await described(db).execute({ jobId, runId, ...starting })
  // A worker may have died before it could say that the job runs.
  if (told.length === 0) await transitionJob(db, jobId, 'running', starting, runId)
}

function columnsFor(before: JobRow, to: JobStatus, changes: JobChanges) {
  const { cause, explanation, traceback, ...free } = changes
  const derived = derivedColumns(before.status, to)
  return {
    ...free,
    ...derived,
    jobExplanation: joinLines(derived.jobExplanation ?? before.jobExplanation, explanation),
    resultTraceback: joinLines(before.resultTraceback, traceback),
    ...(isFinal(to) ? { cause: cause ?? null } : {}),
  }
}

function joinLines(before: string, more: string | undefined): string {
  return [before, more].filter(Boolean).join('\n')
}

const described = preparedOn((db) =>
  db
    .update(unifiedJobs)
    .set({
      jobArgs: sql`${sql.placeholder('jobArgs')}`,
      jobCwd: sql`${sql.placeholder('jobCwd')}`,
      jobEnv: sql`${sql.param(sql.placeholder('jobEnv'), unifiedJobs.jobEnv)}`,
      modified: sql`now()`,
    })
    .where(
      and(
        eq(unifiedJobs.id, sql.placeholder('jobId')),
        eq(unifiedJobs.runId, sql.placeholder('runId')),
        eq(unifiedJobs.status, 'running'),
      ),
    )
    .returning({ told: sql`pg_notify(${channels.jobs}, ${unifiedJobs.id}::text)` })
    .prepare('describe_run'),
)

/** Notes that somebody wants the job to end. Returns false when it cannot be cancelled any more. The caller enqueues the cancel. */
export async function requestCancel(tx: Database, jobId: number): Promise<boolean> {
  const job = await lockJob(tx, jobId)
  if (isFinal(job.status)) return false
  await requestCancelLocked(tx, job)
  return true
}

/** As requestCancel, for a job that the caller's transaction has locked and read, and that has not ended. Notifies `jobs` and `cancels`. */
export async function requestCancelLocked(tx: Database, { id }: Pick<JobRow, 'id'>): Promise<void> {
  await requestedCancel(tx).execute({ jobId: id })
}

const requestedCancel = preparedOn((db) =>
  db
    .update(unifiedJobs)
    .set({ cancelFlag: true, canceledOn: sql`coalesce(${unifiedJobs.canceledOn}, now())`, modified: sql`now()` })
    .where(eq(unifiedJobs.id, sql.placeholder('jobId')))
    .returning({
      told: sql`pg_notify(${channels.jobs}, ${unifiedJobs.id}::text)`,
      asked: sql`pg_notify(${channels.cancels}, ${unifiedJobs.id}::text)`,
    })
    .prepare('requested_cancel'),
)

/**
 * Takes a job back to pending as if it had never run, after a Reset in Temporal: output, host summaries, artifacts, times, cause, a
 * wish to cancel, the updates that it waited for and what was tried again are gone; attempts stay as history. Launch passwords of a job that had
 * ended were wiped and are not restored.
 */
export async function restartJob(db: Database, jobId: number): Promise<JobRow> {
  return await db.transaction(async (tx) => {
    await lockJob(tx, jobId)
    return await clearRun(tx, jobId, {
      canceledOn: null,
      cancelFlag: false,
      waitingSince: null,
      passedOver: [],
      projectUpdateId: null,
      inventoryUpdateIds: [],
      retries: {},
    })
  })
}

/**
 * Takes a job back to pending for another attempt, within the transaction that ended the one before: its output, results and times are gone,
 * and what it runs stays as it was frozen.
 */
export async function retryJob(tx: Database, jobId: number, retries: Retries): Promise<JobRow> {
  return await clearRun(tx, jobId, { waitingSince: sql`now()`, retries })
}

type Columns = PgUpdateSetSource<typeof unifiedJobs>

async function clearRun(tx: Database, jobId: number, further: Columns): Promise<JobRow> {
  for (const table of [jobEvents, jobHostSummaries, artifactChunks])
    await tx.delete(table).where(eq(table.jobId, jobId))
  const [job] = await tx
    .update(unifiedJobs)
    .set({
      status: 'pending',
      failed: false,
      started: null,
      finished: null,
      elapsed: 0,
      cause: null,
      jobExplanation: '',
      resultTraceback: '',
      jobArgs: '',
      jobCwd: '',
      jobEnv: {},
      eventsEmitted: null,
      eventsStored: 0,
      hostStatusCounts: {},
      playCount: 0,
      taskCount: 0,
      artifacts: {},
      waitingReason: '',
      modified: sql`now()`,
      ...further,
    })
    .where(eq(unifiedJobs.id, jobId))
    .returning()
  if (!job) throw new MissingRowError(`job ${jobId} does not exist`)
  await followUp(tx, job)
  await notify(tx, channels.jobs, jobId)
  return job
}
