import { type SQL, sql } from 'drizzle-orm'
import { hostsThatMatter, type ImpactFacts, taskImpact } from '../model/task-impact.ts'
import type { Database } from './database.ts'
import type { JobRow } from './job-status.ts'
import { hosts } from './schema/inventory.ts'

/** The columns of a job that decide its impact. */
export type ImpactColumns = Pick<
  JobRow,
  'type' | 'launchType' | 'forks' | 'inventoryId' | 'jobSliceNumber' | 'jobSliceCount' | 'container'
>

/** Counts the hosts of a job's inventory as far as they matter for its impact; NULL where it has no inventory. */
export function hostsOf(job: ImpactColumns): SQL<number | null> {
  if (job.inventoryId === null) return sql<null>`NULL::int`
  const enough = hostsThatMatter({ forks: job.forks, sliceCount: job.jobSliceCount })
  return sql<number>`(SELECT count(*)::int FROM
    (SELECT 1 FROM ${hosts} WHERE ${hosts.inventoryId} = ${job.inventoryId} LIMIT ${enough}) counted)`
}

/** A job's impact, given what `hostsOf` counted. */
export function impactOf(job: ImpactColumns, hostCount: number | null): number {
  const facts: ImpactFacts = {
    type: job.type,
    launchType: job.launchType,
    forks: job.forks,
    hosts: hostCount,
    sliceNumber: job.jobSliceNumber,
    sliceCount: job.jobSliceCount,
    isContainer: job.container !== null,
  }
  return taskImpact(facts)
}

/** Impacts of several jobs by their ids, in one query. */
export async function impactsOf(
  db: Database,
  jobs: readonly (ImpactColumns & { id: number })[],
): Promise<Map<number, number>> {
  if (jobs.length === 0) return new Map()
  const counts = jobs.map((job) => sql`SELECT ${job.id}::int AS id, ${hostsOf(job)} AS hosts`)
  const { rows } = await db.execute<{ id: number; hosts: number | null }>(sql.join(counts, sql` UNION ALL `))
  const hostCounts = new Map(rows.map((row) => [row.id, row.hosts]))
  return new Map(jobs.map((job) => [job.id, impactOf(job, hostCounts.get(job.id) ?? null)]))
}
