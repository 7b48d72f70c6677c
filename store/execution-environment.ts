import { asc, eq, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Database } from './database.ts'
import { executionEnvironments, inventories, jobTemplates, organizations, projects } from './schema/catalog.ts'
import { unifiedJobs } from './schema/jobs.ts'

/**
 * Which execution environment a job runs in, by AWX's order (awx.md §2.12): the job's own, its template's, its project's default, its
 * organization's, its inventory's organization's, else the oldest global unmanaged one. Null when there is none at all.
 */
export async function resolveExecutionEnvironment(db: Database, jobId: number): Promise<number | null> {
  const inventoryOrganizations = alias(organizations, 'inventory_organizations')
  const [row] = await db
    .select({
      id: sql<number | null>`coalesce(${unifiedJobs.executionEnvironmentId}, ${jobTemplates.executionEnvironmentId},
        ${projects.defaultEnvironmentId}, ${organizations.defaultEnvironmentId}, ${inventoryOrganizations.defaultEnvironmentId})`,
    })
    .from(unifiedJobs)
    .leftJoin(jobTemplates, eq(jobTemplates.id, unifiedJobs.jobTemplateId))
    .leftJoin(projects, eq(projects.id, unifiedJobs.projectId))
    .leftJoin(organizations, eq(organizations.id, unifiedJobs.organizationId))
    .leftJoin(inventories, eq(inventories.id, unifiedJobs.inventoryId))
    .leftJoin(inventoryOrganizations, eq(inventoryOrganizations.id, inventories.organizationId))
    .where(eq(unifiedJobs.id, jobId))
  if (row && row.id !== null) return row.id
  const [global] = await db
    .select({ id: executionEnvironments.id })
    .from(executionEnvironments)
    .where(sql`${executionEnvironments.organizationId} IS NULL AND NOT ${executionEnvironments.managed}`)
    .orderBy(asc(executionEnvironments.id))
    .limit(1)
  return global?.id ?? null
}
