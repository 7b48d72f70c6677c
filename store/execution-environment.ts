import { and, asc, eq, isNull } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import { resolveEnvironment } from '../model/execution-environment.ts'
import type { Database } from './database.ts'
import { executionEnvironments, organizations } from './schema/catalog.ts'
import { inventories } from './schema/inventory.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { jobTemplates, projects } from './schema/templates.ts'

/** The execution environment of whatever names none: the oldest global one that is not managed; undefined when there is none. */
export async function globalEnvironment(db: Database): Promise<typeof executionEnvironments.$inferSelect | undefined> {
  const [row] = await db
    .select()
    .from(executionEnvironments)
    .where(and(isNull(executionEnvironments.organizationId), eq(executionEnvironments.managed, false)))
    .orderBy(asc(executionEnvironments.id))
    .limit(1)
  return row
}

/** Which execution environment a job runs in, in the order of model/execution-environment.ts. Null when there is none at all. */
export async function resolveExecutionEnvironment(db: Database, jobId: number): Promise<number | null> {
  const inventoryOrganizations = alias(organizations, 'inventory_organizations')
  const [sources] = await db
    .select({
      job: unifiedJobs.executionEnvironmentId,
      template: jobTemplates.executionEnvironmentId,
      project: projects.defaultEnvironmentId,
      organization: organizations.defaultEnvironmentId,
      inventoryOrganization: inventoryOrganizations.defaultEnvironmentId,
    })
    .from(unifiedJobs)
    .leftJoin(jobTemplates, eq(jobTemplates.id, unifiedJobs.jobTemplateId))
    .leftJoin(projects, eq(projects.id, unifiedJobs.projectId))
    .leftJoin(organizations, eq(organizations.id, unifiedJobs.organizationId))
    .leftJoin(inventories, eq(inventories.id, unifiedJobs.inventoryId))
    .leftJoin(inventoryOrganizations, eq(inventoryOrganizations.id, inventories.organizationId))
    .where(eq(unifiedJobs.id, jobId))
  return resolveEnvironment(sources ?? {}) ?? (await globalEnvironment(db))?.id ?? null
}
