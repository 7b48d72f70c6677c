import { eq } from 'drizzle-orm'
import type { JobType } from '../model/job.ts'
import type { Database } from './database.ts'
import { organizations } from './schema/catalog.ts'
import { users } from './schema/identity.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { jobTemplates, projects } from './schema/templates.ts'

/** What Temporal is told of a job at its start, for operators who search there. */
export interface StartFacts {
  type: JobType
  name: string
  template: string | null
  organization: string | null
  launchedBy: string | null
}

/** Reads the facts of one job; undefined when it was deleted. */
export async function readStartFacts(db: Database, jobId: number): Promise<StartFacts | undefined> {
  const [row] = await db
    .select({
      type: unifiedJobs.type,
      name: unifiedJobs.name,
      jobTemplate: jobTemplates.name,
      project: projects.name,
      organization: organizations.name,
      launchedBy: users.username,
    })
    .from(unifiedJobs)
    .leftJoin(jobTemplates, eq(jobTemplates.id, unifiedJobs.jobTemplateId))
    .leftJoin(projects, eq(projects.id, unifiedJobs.projectId))
    .leftJoin(organizations, eq(organizations.id, unifiedJobs.organizationId))
    .leftJoin(users, eq(users.id, unifiedJobs.createdById))
    .where(eq(unifiedJobs.id, jobId))
  if (!row) return undefined
  return {
    type: row.type,
    name: row.name,
    template: row.type === 'job' ? row.jobTemplate : row.project,
    organization: row.organization,
    launchedBy: row.launchedBy,
  }
}
