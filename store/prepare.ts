import { and, eq, inArray, sql } from 'drizzle-orm'
import { channels } from './channel.ts'
import type { Database } from './database.ts'
import { instanceGroups } from './schema/catalog.ts'
import { unifiedJobs } from './schema/jobs.ts'

/** What a job runs, fixed before it queues; from now on it waits for a place. */
export async function freezeRun(
  db: Database,
  jobId: number,
  run: { executionEnvironmentId: number | null; scmRevision: string; controllerNode: string },
): Promise<void> {
  await db
    .update(unifiedJobs)
    .set({
      ...run,
      // From now on it stands in line; what it waited for until now was something else.
      waitingSince: sql`CASE WHEN ${unifiedJobs.waitingReason} = '' THEN coalesce(${unifiedJobs.waitingSince}, now()) ELSE now() END`,
      waitingReason: '',
      jobExplanation: '',
    })
    .where(eq(unifiedJobs.id, jobId))
    // In the same statement: whoever listens hears of it when it is there.
    .returning({ told: sql`pg_notify(${channels.jobs}, ${unifiedJobs.id}::text)` })
}

/** The container groups of these ids that still exist, in the given order: only they have a queue and pods. */
export async function groupNames(db: Database, ids: readonly number[]): Promise<{ id: number; name: string }[]> {
  if (ids.length === 0) return []
  const rows = await db
    .select({ id: instanceGroups.id, name: instanceGroups.name })
    .from(instanceGroups)
    .where(and(inArray(instanceGroups.id, [...ids]), eq(instanceGroups.isContainerGroup, true)))
  return ids.flatMap((id) => rows.find((row) => row.id === id) ?? [])
}

/** Notes which update the job waits for. */
export async function linkDependency(db: Database, jobId: number, projectUpdateId: number): Promise<void> {
  await db.update(unifiedJobs).set({ projectUpdateId }).where(eq(unifiedJobs.id, jobId))
}
