import { type Placeholder, type SQL, sql } from 'drizzle-orm'
import { hostsThatMatter, type ImpactFacts, taskImpact } from '../model/task-impact.ts'
import type { Database } from './database.ts'
import type { JobRow } from './job-status.ts'
import { hosts } from './schema/inventory.ts'

/** The columns of a job that decide its impact. */
export type ImpactColumns = Pick<
  JobRow,
  'type' | 'launchType' | 'forks' | 'inventoryId' | 'jobSliceNumber' | 'jobSliceCount' | 'container'
>

/** Counts the hosts of a job's inventory, up to as many as are `enough`; NULL where it has none. For a statement that is built once both are its placeholders. */
export function countOfHosts(
  inventoryId: number | Placeholder | null,
  enough: number | Placeholder,
): SQL<number | null> {
  if (inventoryId === null) return sql<null>`NULL::int`
  return sql<number>`(SELECT count(*)::int FROM
    (SELECT 1 FROM ${hosts} WHERE ${hosts.inventoryId} = ${inventoryId} LIMIT ${enough}) counted)`
}

/** As many hosts of a job's inventory as matter for its impact. */
export function hostsEnough(job: Pick<ImpactColumns, 'forks' | 'jobSliceCount'>): number {
  return hostsThatMatter({ forks: job.forks, sliceCount: job.jobSliceCount })
}

/** A job's impact, given what `countOfHosts` counted. */
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
  const hostsOf = (job: ImpactColumns) => countOfHosts(job.inventoryId, hostsEnough(job))
  const counts = jobs.map((job) => sql`SELECT ${job.id}::int AS id, ${hostsOf(job)} AS hosts`)
  const { rows } = await db.execute<{ id: number; hosts: number | null }>(sql.join(counts, sql` UNION ALL `))
  const hostCounts = new Map(rows.map((row) => [row.id, row.hosts]))
  return new Map(jobs.map((job) => [job.id, impactOf(job, hostCounts.get(job.id) ?? null)]))
}
