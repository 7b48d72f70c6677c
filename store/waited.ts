import { and, asc, desc, eq, gt, inArray, isNull, lt, or } from 'drizzle-orm'
import type { JobStatus, JobType } from '../model/job.ts'
import { isFinal } from '../model/job.ts'
import type { Database } from './database.ts'
import type { JobRow } from './job-status.ts'
import { instanceGroups } from './schema/catalog.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { attempts } from './schema/runtime.ts'
import { isSerialised, serialisedTypes } from './turn-line.ts'

/** Another job that one waits for, or waited for. */
export interface Awaited {
  id: number
  type: JobType
  name: string
  status: JobStatus
  created: string
  finished: string | null
}

const awaited = {
  id: unifiedJobs.id,
  type: unifiedJobs.type,
  name: unifiedJobs.name,
  status: unifiedJobs.status,
  created: unifiedJobs.created,
  finished: unifiedJobs.finished,
}

/** The updates that a job made or waits for, in the order in which they were made. */
export async function dependenciesOf(db: Database, job: JobRow): Promise<Awaited[]> {
  return await awaitedJobs(db, [
    ...(job.projectUpdateId === null ? [] : [job.projectUpdateId]),
    ...job.inventoryUpdateIds,
  ])
}

/**
 * The job of its template that a job waits for because the template allows one at a time, or that was the last it waited for; null when it had its turn
 * at once.
 */
export async function turnOf(db: Database, job: JobRow): Promise<Awaited | null> {
  if (!isSerialised(job)) return null
  const [last] = await db
    .select(awaited)
    .from(unifiedJobs)
    .where(
      and(
        eq(unifiedJobs.unifiedJobTemplateId, job.unifiedJobTemplateId),
        eq(unifiedJobs.allowSimultaneous, false),
        inArray(unifiedJobs.type, serialisedTypes),
        lt(unifiedJobs.id, job.id),
        or(isNull(unifiedJobs.finished), gt(unifiedJobs.finished, job.created)),
      ),
    )
    .orderBy(desc(unifiedJobs.id))
    .limit(1)
  return last ?? null
}

/** An attempt of a job as far as its waiting is concerned. */
export interface AttemptTimes {
  group: string
  claimed: string
  ready: string | null
  ended: string | null
  released: string | null
  namespace: string
  podName: string
  podCreatedAt: string | null
}

/** The attempts of a job, first to last, with the names of their groups ('' for one that is gone). */
export async function attemptTimes(db: Database, jobId: number): Promise<AttemptTimes[]> {
  const rows = await db
    .select({
      group: instanceGroups.name,
      claimed: attempts.claimedAt,
      ready: attempts.deliveredAt,
      ended: attempts.endedAt,
      released: attempts.releasedAt,
      namespace: attempts.namespace,
      podName: attempts.podName,
      podCreatedAt: attempts.podCreatedAt,
    })
    .from(attempts)
    .leftJoin(instanceGroups, eq(instanceGroups.id, attempts.instanceGroupId))
    .where(eq(attempts.jobId, jobId))
    .orderBy(asc(attempts.number))
  return rows.map((row) => ({ ...row, group: row.group ?? '' }))
}

/** The jobs of a workflow job's nodes that have not ended. */
export async function activeJobsOfNodes(db: Database, workflowJobId: number): Promise<Awaited[]> {
  const rows = await db
    .select(awaited)
    .from(unifiedJobs)
    .where(eq(unifiedJobs.workflowJobId, workflowJobId))
    .orderBy(asc(unifiedJobs.id))
  return rows.filter(({ status }) => !isFinal(status))
}

/** Jobs by their ids, as far as they are there. */
export async function awaitedJobs(db: Database, ids: readonly number[]): Promise<Awaited[]> {
  if (ids.length === 0) return []
  return await db
    .select(awaited)
    .from(unifiedJobs)
    .where(inArray(unifiedJobs.id, [...ids]))
    .orderBy(asc(unifiedJobs.id))
}
