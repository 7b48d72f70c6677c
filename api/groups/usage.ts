import { sql } from 'drizzle-orm'
import { activeStatuses } from '../../model/job.ts'
import { taskImpact } from '../../model/task-impact.ts'
import { instanceGroups } from '../../store/schema/catalog.ts'
import { hosts } from '../../store/schema/inventory.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { attempts } from '../../store/schema/runtime.ts'
import type { RequestContext, Row, Sql } from '../context.ts'
import { subselect } from '../subselect.ts'

/** What AWX shows of a group's load. */
export interface GroupUsage {
  /** Jobs in `waiting` and `running` that were given to the group. */
  jobsRunning: number
  /** Every job ever given to it. */
  jobsTotal: number
  /** Sum of the running jobs' impacts, as they count for max_forks: what was frozen at the claim, where there was one. */
  consumedForks: number
}

const none: GroupUsage = { jobsRunning: 0, jobsTotal: 0, consumedForks: 0 }

/** Usage of the groups of a page, in their order; one query for all of them and once a request. */
export async function groupUsages(rows: readonly Row[], context: RequestContext): Promise<GroupUsage[]> {
  const key = `usage of instance groups ${rows.map((row) => row.id).join()}`
  const known = context.cache.get(key) as Promise<Map<number, GroupUsage>> | undefined
  const loading = known ?? loadUsage(context.db, rows)
  context.cache.set(key, loading)
  const usage = await loading
  return rows.map((row) => usage.get(row.id) ?? none)
}

interface ActiveJob {
  type: string
  launch_type: string
  forks: number
  slice_number: number
  slice_count: number
  hosts: number | null
  is_container: boolean
  /** Of its live attempt. */
  impact: number | null
}

async function loadUsage(db: Sql, rows: readonly Row[]): Promise<Map<number, GroupUsage>> {
  if (rows.length === 0) return new Map()
  const ofGroup = sql`${unifiedJobs.instanceGroupId} = ${instanceGroups.id}`
  const found = await db
    .select({
      id: instanceGroups.id,
      total: subselect<number>(sql`(SELECT count(*)::int FROM ${unifiedJobs} WHERE ${ofGroup})`),
      active: subselect<ActiveJob[] | null>(sql`(
        SELECT json_agg(json_build_object('type', ${unifiedJobs.type}, 'launch_type', ${unifiedJobs.launchType},
          'forks', ${unifiedJobs.forks}, 'slice_number', ${unifiedJobs.jobSliceNumber},
          'slice_count', ${unifiedJobs.jobSliceCount}, 'is_container', ${unifiedJobs.container} IS NOT NULL,
          'impact', (SELECT ${attempts.impact} FROM ${attempts}
            WHERE ${attempts.jobId} = ${unifiedJobs.id} AND ${attempts.releasedAt} IS NULL),
          'hosts', CASE WHEN ${unifiedJobs.inventoryId} IS NOT NULL THEN
            (SELECT count(*)::int FROM ${hosts} WHERE ${hosts.inventoryId} = ${unifiedJobs.inventoryId}) END))
        FROM ${unifiedJobs} WHERE ${ofGroup} AND ${unifiedJobs.status} IN ('waiting', 'running'))`),
    })
    .from(instanceGroups)
    .where(sql`${instanceGroups.id} IN ${rows.map((row) => row.id)}`)
  return new Map(
    found.map(({ id, total, active }) => [
      id,
      {
        jobsRunning: active?.length ?? 0,
        jobsTotal: total,
        consumedForks: (active ?? []).reduce((sum, job) => sum + impact(job), 0),
      },
    ]),
  )
}

function impact(job: ActiveJob): number {
  if (job.impact !== null) return job.impact
  const { type, forks, hosts } = job
  const facts = { launchType: job.launch_type, sliceNumber: job.slice_number, sliceCount: job.slice_count }
  return taskImpact({ type, forks, hosts, ...facts, isContainer: job.is_container })
}

/** Active jobs that run in a group or can run nowhere else; while there are any it is not deleted. */
export async function jobsUsingGroup(db: Sql, groupId: number): Promise<{ id: number; type: string }[]> {
  return await db
    .select({ id: unifiedJobs.id, type: unifiedJobs.type })
    .from(unifiedJobs)
    .where(
      sql`${unifiedJobs.status} IN ${activeStatuses} AND (${unifiedJobs.instanceGroupId} = ${groupId}
        OR (${unifiedJobs.instanceGroupId} IS NULL AND ${unifiedJobs.eligibleGroups}::jsonb = ${JSON.stringify([groupId])}::jsonb))`,
    )
    .orderBy(unifiedJobs.id)
}
