import { and, eq, isNull, sql } from 'drizzle-orm'
import { takeOverAttempts } from './claims.ts'
import type { Database } from './database.ts'
import { restartJob } from './job-status.ts'
import { lockJobIfThere } from './lock-order.ts'
import { preparedOn } from './prepared.ts'
import { unifiedJobs } from './schema/jobs.ts'

const ownerAlone = preparedOn((db) =>
  db
    .select({ runId: unifiedJobs.runId })
    .from(unifiedJobs)
    .where(eq(unifiedJobs.id, sql.placeholder('jobId')))
    .prepare('owner_of_job'),
)

/** The Temporal run that owns the job; null when none ever did, or the job was deleted. */
export async function ownerOfJob(db: Database, jobId: number): Promise<string | null> {
  const [job] = await ownerAlone(db).execute({ jobId })
  return job?.runId ?? null
}

/** A run of a workflow wants the job that belonged to the run `before`. */
export interface Taking {
  jobId: number
  workflowId: string
  runId: string
  before: string | null
  /** The job begins as if it had never run, and what it still holds is to be released. Else it goes on where it stands. */
  restart: boolean
}

/**
 * Makes a run the owner of a job and of its live attempts, all or nothing, and refuses every later write of the run before. False when the
 * job does not belong to `before`: nothing was changed.
 */
export async function takeJob(db: Database, taking: Taking): Promise<boolean> {
  const { jobId, runId, before, restart } = taking
  // The ordinary case: nobody had it, so there are no attempts to take over.
  if (before === null) return await takeNewJob(db, jobId, runId)
  return await db.transaction(async (tx) => {
    // The job before its attempts (lock-order.ts).
    const job = await lockJobIfThere(tx, jobId)
    if (job?.runId !== before) return false
    await takeOverAttempts(tx, { ...taking, end: restart })
    if (restart) await restartJob(tx, jobId)
    await tx.update(unifiedJobs).set({ runId }).where(eq(unifiedJobs.id, jobId))
    return true
  })
}

/** Makes a run the owner of a job that nobody has owned yet; false when somebody has. */
export async function takeNewJob(db: Database, jobId: number, runId: string): Promise<boolean> {
  const taken = await newOwner(db).execute({ jobId, runId })
  return taken.length > 0
}

const newOwner = preparedOn((db) =>
  db
    .update(unifiedJobs)
    .set({ runId: sql`${sql.placeholder('runId')}` })
    .where(and(eq(unifiedJobs.id, sql.placeholder('jobId')), isNull(unifiedJobs.runId)))
    .returning({ id: unifiedJobs.id })
    .prepare('new_owner'),
)
