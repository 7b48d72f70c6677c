import { eq, inArray, sql } from 'drizzle-orm'
import type { StartFacts } from '../model/start-facts.ts'
import type { Database } from './database.ts'
import { organizations } from './schema/catalog.ts'
import { installation, users } from './schema/identity.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { jobTemplates, projects } from './schema/templates.ts'
import { workflowJobTemplates } from './schema/workflows.ts'

/** Reads the facts of jobs, by id; those that were deleted are missing. */
export async function readStartFacts(db: Database, jobIds: readonly number[]): Promise<Map<number, StartFacts>> {
  if (jobIds.length === 0) return new Map()
  const rows = await db
    .select({
      id: unifiedJobs.id,
      type: unifiedJobs.type,
      name: unifiedJobs.name,
      jobTemplate: jobTemplates.name,
      workflowJobTemplate: workflowJobTemplates.name,
      project: projects.name,
      organization: organizations.name,
      priority: unifiedJobs.priority,
      organizationId: unifiedJobs.organizationId,
      weight: organizations.fairShareWeight,
      launchedBy: users.username,
      created: unifiedJobs.created,
      installation: sql<string>`coalesce((SELECT value #>> '{}' FROM ${installation} WHERE key = 'install_uuid'), '')`,
    })
    .from(unifiedJobs)
    .leftJoin(jobTemplates, eq(jobTemplates.id, unifiedJobs.jobTemplateId))
    .leftJoin(workflowJobTemplates, eq(workflowJobTemplates.id, unifiedJobs.workflowJobTemplateId))
    .leftJoin(projects, eq(projects.id, unifiedJobs.projectId))
    .leftJoin(organizations, eq(organizations.id, unifiedJobs.organizationId))
    .leftJoin(users, eq(users.id, unifiedJobs.createdById))
    .where(inArray(unifiedJobs.id, [...jobIds]))
  return new Map(
    rows.map(
      ({ id, type, name, jobTemplate, workflowJobTemplate, project, priority, organizationId, weight, ...same }) => [
        id,
        {
          type,
          name,
          template: jobTemplate ?? workflowJobTemplate ?? (type === 'project_update' ? project : null),
          turn: { priority, organizationId, weight: weight ?? 1 },
          ...same,
        },
      ],
    ),
  )
}
