import { inArray, sql } from 'drizzle-orm'
import { explainWaiting, type WaitingGroup } from '../../model/waiting.ts'
import { instanceGroups } from '../../store/schema/catalog.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { attempts, groupBrakes, outbox } from '../../store/schema/runtime.ts'
import type { RequestContext, Row } from '../context.ts'
import { subselect } from '../subselect.ts'
import type { JobRow } from './fields.ts'

/** Jobs that this very request made: they wait for nothing yet that one could tell. */
const madeNow = 'jobs made by this request'

/** Leaves a job's explanation empty in this request's answer, as AWX does for one that was just launched. */
export function explainNothingYet(jobId: number, context: RequestContext): void {
  context.cache.set(madeNow, jobId)
}

/**
 * `job_explanation` of a page of jobs. What a job waits for is put together while it is read, because its place in line and the load of its
 * groups change all the time; two queries, and none when no job of the page waits.
 */
export async function jobExplanations(rows: readonly Row[], context: RequestContext): Promise<string[]> {
  const jobs = rows as unknown as readonly JobRow[]
  const waits = (job: JobRow) => job.status === 'pending' && job.id !== context.cache.get(madeNow)
  const pending = jobs.filter(waits)
  if (pending.length === 0) return jobs.map((job) => job.jobExplanation)
  const groups = await loadGroups(
    pending.flatMap((job) => job.eligibleGroups),
    context,
  )
  const lines = await loadLines(
    pending.map((job) => job.id),
    context,
  )
  return jobs.map((job) => {
    if (!waits(job)) return job.jobExplanation
    const line = lines.get(job.id)
    return explainWaiting({
      created: job.created,
      waitingSince: job.waitingSince,
      waitingReason: job.waitingReason ? job.jobExplanation || job.waitingReason : '',
      groups: job.eligibleGroups.flatMap((id) => groups.get(id) ?? []),
      place: line?.place ?? 1,
      unsent: line && line.lastError !== null ? { lastError: line.lastError } : null,
    })
  })
}

async function loadGroups(ids: number[], context: RequestContext): Promise<Map<number, WaitingGroup>> {
  if (ids.length === 0) return new Map()
  const rows = await context.db
    .select({
      id: instanceGroups.id,
      name: instanceGroups.name,
      maxConcurrentJobs: instanceGroups.maxConcurrentJobs,
      running: subselect<number>(sql`(SELECT count(*)::int FROM ${attempts}
        WHERE ${attempts.instanceGroupId} = ${instanceGroups.id} AND ${attempts.releasedAt} IS NULL)`),
      brake: subselect<string | null>(sql`(SELECT ${groupBrakes.reason} FROM ${groupBrakes}
        WHERE ${groupBrakes.instanceGroupId} = ${instanceGroups.id})`),
    })
    .from(instanceGroups)
    .where(inArray(instanceGroups.id, [...new Set(ids)]))
  return new Map(rows.map(({ id, ...group }) => [id, group]))
}

interface Line {
  /** Jobs before it for its preferred group, and itself. */
  place: number
  /** Null once Temporal has the start. */
  lastError: string | null
}

async function loadLines(ids: number[], context: RequestContext): Promise<Map<number, Line>> {
  const { rows } = await context.db.execute<{ id: number; place: number; last_error: string | null }>(sql`
    SELECT job.id,
      (SELECT count(*)::int FROM ${unifiedJobs} other
        WHERE other.status = 'pending' AND other.waiting_since IS NOT NULL
          AND (other.eligible_groups->0)::text = (job.eligible_groups->0)::text
          AND (other.waiting_since, other.id) <= (job.waiting_since, job.id)) AS place,
      (SELECT message.last_error FROM ${outbox} message
        WHERE message.subject_id = job.id AND message.kind = 'start') AS last_error
    FROM ${unifiedJobs} job
    WHERE job.id IN ${ids}`)
  return new Map(rows.map((row) => [row.id, { place: Math.max(1, row.place), lastError: row.last_error }]))
}
