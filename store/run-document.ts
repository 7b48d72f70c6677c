import { eq, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { type JobOrigin, readOrigin } from './job-origin.ts'
import type { JobRow } from './job-status.ts'
import { preparedOn } from './prepared.ts'
import { executionEnvironments } from './schema/catalog.ts'
import { users } from './schema/identity.ts'
import { inventories } from './schema/inventory.ts'
import { unifiedJobCredentials, unifiedJobs } from './schema/jobs.ts'
import { jobTemplates, projects } from './schema/templates.ts'
import { readCredentials, type TypedCredential } from './typed-credential.ts'

/** All that is needed to prepare and run a job. What was deleted meanwhile, or was never set, is null. */
export interface RunDocument {
  job: JobRow
  /** The template of a playbook job. */
  template: Pick<typeof jobTemplates.$inferSelect, 'id' | 'name' | 'extraVars'> | null
  /** The project of a playbook job, or the one that a project update updates. */
  project: typeof projects.$inferSelect | null
  inventory: Pick<typeof inventories.$inferSelect, 'id' | 'name'> | null
  executionEnvironment: Pick<typeof executionEnvironments.$inferSelect, 'id' | 'image' | 'pull' | 'credentialId'> | null
  /** Who launched it. */
  user: Pick<typeof users.$inferSelect, 'id' | 'username' | 'email' | 'firstName' | 'lastName'> | null
  /** What launched it when no user did. */
  origin: JobOrigin
  /** Credentials of the job, by id. */
  credentials: TypedCredential[]
  /** What pulls the execution environment's image. */
  registryCredential: TypedCredential | null
  /** What reads the project's source: of the update, else of the project. */
  scmCredential: TypedCredential | null
}

/** Read three times for each job, so of each part no more than is asked for. The id is the first: where it is null there is no such part. */
const partColumns = {
  template: { id: jobTemplates.id, name: jobTemplates.name, extraVars: jobTemplates.extraVars },
  project: projects,
  inventory: { id: inventories.id, name: inventories.name },
  executionEnvironment: {
    id: executionEnvironments.id,
    image: executionEnvironments.image,
    pull: executionEnvironments.pull,
    credentialId: executionEnvironments.credentialId,
  },
  user: {
    id: users.id,
    username: users.username,
    email: users.email,
    firstName: users.firstName,
    lastName: users.lastName,
  },
}

const jobWithParts = preparedOn((db) =>
  db
    .select({
      job: unifiedJobs,
      ...partColumns,
      attached: sql<number[]>`ARRAY(SELECT ${unifiedJobCredentials.credentialId} FROM ${unifiedJobCredentials}
        WHERE ${unifiedJobCredentials.jobId} = ${sql.placeholder('jobId')})`,
    })
    .from(unifiedJobs)
    .leftJoin(jobTemplates, eq(jobTemplates.id, unifiedJobs.jobTemplateId))
    .leftJoin(projects, eq(projects.id, unifiedJobs.projectId))
    .leftJoin(inventories, eq(inventories.id, unifiedJobs.inventoryId))
    .leftJoin(executionEnvironments, eq(executionEnvironments.id, unifiedJobs.executionEnvironmentId))
    .leftJoin(users, eq(users.id, unifiedJobs.createdById))
    .where(eq(unifiedJobs.id, sql.placeholder('jobId')))
    .prepare('job_with_parts'),
)

/** Reads a job with all that it refers to; undefined when there is none. One statement, and one more for credentials. */
export async function readJobForRun(db: Database, jobId: number): Promise<RunDocument | undefined> {
  const [row] = await jobWithParts(db).execute({ jobId })
  if (!row) return undefined
  const { job, attached, ...parts } = row
  const registryId = parts.executionEnvironment?.credentialId ?? null
  const scmId = job.credentialId ?? parts.project?.credentialId ?? null
  const byId = await readCredentials(db, [...attached, registryId, scmId])
  return {
    job,
    ...parts,
    origin: await readOrigin(db, job),
    credentials: [...byId.values()].filter(({ credential }) => attached.includes(credential.id)),
    registryCredential: (registryId !== null && byId.get(registryId)) || null,
    scmCredential: (scmId !== null && byId.get(scmId)) || null,
  }
}

const jobAlone = preparedOn((db) =>
  db
    .select()
    .from(unifiedJobs)
    .where(eq(unifiedJobs.id, sql.placeholder('jobId')))
    .prepare('job_alone'),
)

/** Reads a job's row alone; undefined when there is none. */
export async function readJob(db: Database, jobId: number): Promise<JobRow | undefined> {
  const [job] = await jobAlone(db).execute({ jobId })
  return job
}
