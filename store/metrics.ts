import { sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { instanceGroups, organizations } from './schema/catalog.ts'
import { sessions, users } from './schema/identity.ts'
import { hosts, inventories } from './schema/inventory.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { attempts, groupBrakes, outbox } from './schema/runtime.ts'
import { schedules } from './schema/schedules.ts'
import { jobTemplates, projects } from './schema/templates.ts'
import { workflowJobTemplates } from './schema/workflows.ts'

/** How much there is of each kind of thing. */
export interface Totals extends Record<string, unknown> {
  organizations: number
  users: number
  inventories: number
  projects: number
  jobTemplates: number
  workflowJobTemplates: number
  hosts: number
  /** Different names among them. */
  activeHosts: number
  schedules: number
  sessions: number
  /** Messages to Temporal that are on their way: without those that rest. */
  outbox: number
  /** Starts of jobs that nobody has tried to send: they rest where their line is long (store/line-key.ts), or until it is their turn (store/turn-line.ts). */
  resting: number
  /** Seconds since the oldest message was written that is on its way; 0 without one. */
  outboxAge: number
}

/** Counts everything that is counted; one statement. */
export async function readTotals(db: Database): Promise<Totals> {
  const count = (table: unknown) => sql`(SELECT count(*)::int FROM ${table})`
  const { rows } = await db.execute<Totals>(sql`SELECT
    ${count(organizations)} AS organizations, ${count(users)} AS users, ${count(inventories)} AS inventories,
    ${count(projects)} AS projects, ${count(jobTemplates)} AS "jobTemplates",
    ${count(workflowJobTemplates)} AS "workflowJobTemplates", ${count(hosts)} AS hosts,
    (SELECT count(DISTINCT name)::int FROM ${hosts}) AS "activeHosts", ${count(schedules)} AS schedules,
    (SELECT count(*)::int FROM ${sessions} WHERE expires > now()) AS sessions,
    message.*
    FROM (SELECT count(*) FILTER (WHERE NOT rests)::int AS outbox, count(*) FILTER (WHERE rests)::int AS resting,
      coalesce(extract(epoch FROM now() - min(created) FILTER (WHERE NOT rests)), 0)::float8 AS "outboxAge"
      FROM (SELECT created, line <> '' AND tries = 0 AS rests FROM ${outbox}) AS message) AS message`)
  const [totals] = rows
  if (!totals) throw new Error('nothing was counted')
  return totals
}

/** Jobs of every kind by status. `launched`: without updates that a job had made for itself, as AWX counts. */
export async function readJobCounts(db: Database): Promise<{ status: string; all: number; launched: number }[]> {
  const { rows } = await db.execute<{ status: string; all: number; launched: number }>(sql`
    SELECT status, count(*)::int AS all, count(*) FILTER (WHERE launch_type <> 'sync')::int AS launched
    FROM ${unifiedJobs} GROUP BY status`)
  return rows
}

/** A container group as its gate sees it. */
export interface GroupLoad extends Record<string, unknown> {
  id: number
  name: string
  maxConcurrentJobs: number
  maxForks: number
  draining: boolean
  /** Why it admits nobody; null while it does. */
  brake: string | null
  /** Places that are taken, how many of them have a pod, and the forks that they count. */
  attempts: number
  pods: number
  forks: number
}

/** The load of all container groups, by name. */
export async function readGroupLoads(db: Database): Promise<GroupLoad[]> {
  const { rows } = await db.execute<GroupLoad>(sql`
    SELECT g.id, g.name, g.max_concurrent_jobs AS "maxConcurrentJobs", g.max_forks AS "maxForks",
      g.draining_since IS NOT NULL AS draining, (SELECT reason FROM ${groupBrakes} b WHERE b.instance_group_id = g.id) AS brake,
      coalesce(live.attempts, 0) AS attempts, coalesce(live.pods, 0) AS pods, coalesce(live.forks, 0) AS forks
    FROM ${instanceGroups} g
    LEFT JOIN (
      SELECT instance_group_id, count(*)::int AS attempts, count(pod_created_at)::int AS pods, sum(impact)::int AS forks
      FROM ${attempts} WHERE released_at IS NULL GROUP BY instance_group_id
    ) live ON live.instance_group_id = g.id
    WHERE g.is_container_group ORDER BY g.name`)
  return rows
}
