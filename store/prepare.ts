import { eq, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import { resolveEnvironment } from '../model/execution-environment.ts'
import { channels } from './channel.ts'
import type { Database } from './database.ts'
import { MissingRowError } from './errors.ts'
import { globalEnvironmentId } from './execution-environment.ts'
import { preparedOn } from './prepared.ts'
import { organizations } from './schema/catalog.ts'
import { inventories } from './schema/inventory.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { jobTemplates, projects } from './schema/templates.ts'

/** What a job runs, fixed before it queues; from now on it waits for a place. */
export async function freezeRun(
  db: Database,
  jobId: number,
  run: { executionEnvironmentId: number | null; scmRevision: string; controllerNode: string },
): Promise<void> {
  await frozenRun(db).execute({ jobId, ...run })
}

const frozenRun = preparedOn((db) =>
  db
    .update(unifiedJobs)
    .set({
      executionEnvironmentId: sql`${sql.placeholder('executionEnvironmentId')}`,
      scmRevision: sql`${sql.placeholder('scmRevision')}`,
      controllerNode: sql`${sql.placeholder('controllerNode')}`,
      // From now on it stands in line; what it waited for until now was something else.
      waitingSince: sql`CASE WHEN ${unifiedJobs.waitingReason} = '' THEN coalesce(${unifiedJobs.waitingSince}, now()) ELSE now() END`,
      waitingReason: '',
      jobExplanation: '',
    })
    .where(eq(unifiedJobs.id, sql.placeholder('jobId')))
    // In the same statement: whoever listens hears of it when it is there.
    .returning({ told: sql`pg_notify(${channels.jobs}, ${unifiedJobs.id}::text)` })
    .prepare('frozen_run'),
)

/** What a job begins with once nothing must come first any more. */
export interface StartLine {
  /** In the order of model/execution-environment.ts; null when there is none at all. */
  executionEnvironmentId: number | null
  /** The commit that the job runs: of its own branch, as the sync found it, else the project's as of now; '' when there is none. */
  scmRevision: string
  /** The container groups that it may run in, preferred first. */
  groups: NamedGroup[]
}

/** A container group: only they have a queue and pods. */
export interface NamedGroup {
  id: number
  name: string
}

/** The container groups of these ids (a JSON array) that still exist, in its order. */
const containerGroups = (ids: SQLWrapper): SQL<NamedGroup[]> => sql`(
  SELECT coalesce(json_agg(json_build_object('id', instance_group.id, 'name', instance_group.name) ORDER BY place), '[]')
  FROM json_array_elements_text(${ids}) WITH ORDINALITY AS eligible(id, place)
    JOIN instance_groups AS instance_group ON instance_group.id = eligible.id::int AND instance_group.is_container_group)`

const startLine = preparedOn((db) => {
  const update = alias(unifiedJobs, 'update')
  const inventoryOrganizations = alias(organizations, 'inventory_organizations')
  return db
    .select({
      environments: {
        job: unifiedJobs.executionEnvironmentId,
        template: jobTemplates.executionEnvironmentId,
        project: projects.defaultEnvironmentId,
        organization: organizations.defaultEnvironmentId,
        inventoryOrganization: inventoryOrganizations.defaultEnvironmentId,
      },
      globalEnvironmentId,
      updateKind: update.launchType,
      updateRevision: update.scmRevision,
      projectRevision: projects.scmRevision,
      groups: containerGroups(unifiedJobs.eligibleGroups),
    })
    .from(unifiedJobs)
    .leftJoin(jobTemplates, eq(jobTemplates.id, unifiedJobs.jobTemplateId))
    .leftJoin(projects, eq(projects.id, unifiedJobs.projectId))
    .leftJoin(organizations, eq(organizations.id, unifiedJobs.organizationId))
    .leftJoin(inventories, eq(inventories.id, unifiedJobs.inventoryId))
    .leftJoin(inventoryOrganizations, eq(inventoryOrganizations.id, inventories.organizationId))
    .leftJoin(update, eq(update.id, unifiedJobs.projectUpdateId))
    .where(eq(unifiedJobs.id, sql.placeholder('jobId')))
    .prepare('start_line')
})

/** Reads what a job begins with. Throws MissingRowError. */
export async function readStartLine(db: Database, jobId: number): Promise<StartLine> {
  const [row] = await startLine(db).execute({ jobId })
  if (!row) throw new MissingRowError(`job ${jobId} does not exist`)
  const { environments, groups } = row
  return {
    executionEnvironmentId: resolveEnvironment(environments) ?? row.globalEnvironmentId,
    scmRevision: (row.updateKind === 'sync' ? row.updateRevision : row.projectRevision) ?? '',
    groups,
  }
}

/** The container groups of these ids that still exist, in the given order. */
export async function groupNames(db: Database, ids: readonly number[]): Promise<NamedGroup[]> {
  if (ids.length === 0) return []
  const { rows } = await db.execute<{ groups: NamedGroup[] }>(
    sql`SELECT ${containerGroups(sql`${JSON.stringify(ids)}::json`)} AS groups`,
  )
  return rows[0]?.groups ?? []
}

/** Notes which update the job waits for. */
export async function linkDependency(db: Database, jobId: number, projectUpdateId: number): Promise<void> {
  await db.update(unifiedJobs).set({ projectUpdateId }).where(eq(unifiedJobs.id, jobId))
}
