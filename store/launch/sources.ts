import { eq, inArray, sql } from 'drizzle-orm'
import { preferredGroups } from '../../model/groups.ts'
import type { LaunchObjects, LaunchTemplate } from '../../model/launch.ts'
import type { LaunchCredential } from '../../model/launch-credentials.ts'
import { type PromptField, type Prompts, promptFlags } from '../../model/prompts.ts'
import { surveyQuestions } from '../../model/survey.ts'
import { camelCase } from '../camel-case.ts'
import type { Database } from '../database.ts'
import { preparedOn } from '../prepared.ts'
import {
  credentials,
  credentialTypes,
  executionEnvironments,
  instanceGroups,
  organizationInstanceGroups,
  organizations,
} from '../schema/catalog.ts'
import { inventories, inventoryInstanceGroups } from '../schema/inventory.ts'
import { jobTemplateLabels, labels } from '../schema/labels.ts'
import { jobTemplateCredentials, jobTemplateInstanceGroups, type jobTemplates, projects } from '../schema/templates.ts'
import type { Keyring } from '../secrets.ts'
import { storedPasswordsAsked } from './stored-passwords.ts'

/** What a launch reads from and writes to; `db` may be a transaction. */
export interface LaunchStore {
  db: Database
  keyring: Keyring
}

/** A job template as stored. */
export type TemplateRow = typeof jobTemplates.$inferSelect

/** Everything a launch reads, by one query whatever the template. */
export interface LaunchSources {
  project: typeof projects.$inferSelect | null
  /** Rows that the answer shows; absent ones were not looked for or do not exist. */
  inventory: typeof inventories.$inferSelect | null
  organization: typeof organizations.$inferSelect | null
  executionEnvironment: typeof executionEnvironments.$inferSelect | null
  /** The template's credentials. */
  credentials: LaunchCredential[]
  templateGroups: number[]
  templateLabels: number[]
  inventoryGroups: number[]
  organizationGroups: number[]
  globalGroups: number[]
}

interface StoredCredential {
  id: number
  name: string
  description: string
  inputs: Record<string, unknown>
  type_id: number
  type_name: string
  kind: string
  namespace: string | null
}

const credentialJson = sql`json_build_object('id', ${credentials.id}, 'name', ${credentials.name},
  'description', ${credentials.description}, 'inputs', ${credentials.inputs}, 'type_id', ${credentialTypes.id}, 'type_name', ${credentialTypes.name},
  'kind', ${credentialTypes.kind}, 'namespace', ${credentialTypes.namespace})`

const sourcesOf = preparedOn((db) => {
  const ids = (
    table: typeof jobTemplateInstanceGroups | typeof inventoryInstanceGroups | typeof organizationInstanceGroups,
    owner: unknown,
  ) =>
    sql<
      number[]
    >`coalesce((SELECT json_agg(${table.instanceGroupId} ORDER BY ${table.position}) FROM ${table} WHERE ${owner}), '[]')`
  return db
    .select({
      project: projects,
      inventory: inventories,
      organization: organizations,
      executionEnvironment: executionEnvironments,
      credentials: sql<StoredCredential[]>`coalesce((
        SELECT json_agg(${credentialJson} ORDER BY ${credentials.name}, ${credentials.id})
        FROM ${jobTemplateCredentials}
        JOIN ${credentials} ON ${credentials.id} = ${jobTemplateCredentials.credentialId}
        JOIN ${credentialTypes} ON ${credentialTypes.id} = ${credentials.credentialTypeId}
        WHERE ${jobTemplateCredentials.jobTemplateId} = ${sql.placeholder('jobTemplateId')}), '[]')`,
      templateGroups: ids(
        jobTemplateInstanceGroups,
        sql`${jobTemplateInstanceGroups.jobTemplateId} = ${sql.placeholder('jobTemplateId')}`,
      ),
      templateLabels: sql<number[]>`coalesce((SELECT json_agg(${jobTemplateLabels.labelId}) FROM ${jobTemplateLabels}
        WHERE ${jobTemplateLabels.jobTemplateId} = ${sql.placeholder('jobTemplateId')}), '[]')`,
      inventoryGroups: ids(
        inventoryInstanceGroups,
        sql`${inventoryInstanceGroups.inventoryId} = ${sql.placeholder('inventoryId')}`,
      ),
      organizationGroups: ids(
        organizationInstanceGroups,
        sql`${organizationInstanceGroups.organizationId} = ${sql.placeholder('organizationId')}`,
      ),
      globalGroups: sql<number[]>`coalesce((SELECT json_agg(${instanceGroups.id}) FROM ${instanceGroups}
        WHERE ${instanceGroups.name} = 'default'), '[]')`,
    })
    .from(sql`(SELECT 1) AS one`)
    .leftJoin(projects, sql`${projects.id} = ${sql.placeholder('projectId')}`)
    .leftJoin(inventories, sql`${inventories.id} = ${sql.placeholder('inventoryId')}`)
    .leftJoin(organizations, sql`${organizations.id} = ${sql.placeholder('organizationId')}`)
    .leftJoin(executionEnvironments, sql`${executionEnvironments.id} = ${sql.placeholder('executionEnvironmentId')}`)
    .prepare('launch_sources')
})

/** Reads what a job of this template is made of. `inventoryId`: the job's, which may be prompted. */
export async function loadSources(
  { db, keyring }: LaunchStore,
  {
    jobTemplateId,
    projectId,
    organizationId,
    inventoryId,
    executionEnvironmentId,
  }: {
    jobTemplateId: number | null
    projectId: number | null
    organizationId: number | null
    inventoryId: number | null
    executionEnvironmentId: number | null
  },
): Promise<LaunchSources> {
  const ids = { jobTemplateId, projectId, organizationId, inventoryId, executionEnvironmentId }
  const [row] = await sourcesOf(db).execute(ids)
  if (!row) throw new Error('a query for one row gave none')
  return { ...row, credentials: row.credentials.map((stored) => launchCredential(keyring, stored)) }
}

/** Of each prompt, the column that says whether it is asked for. */
const askColumns = Object.entries(promptFlags).map(
  ([field, flag]) => [field, camelCase(flag) as keyof TemplateRow] as const,
)

/** The template as the rules of launching look at it. */
export function launchTemplate(template: TemplateRow, sources: LaunchSources): LaunchTemplate {
  const { project } = sources
  const asks = Object.fromEntries(askColumns.map(([field, column]) => [field, template[column] === true])) as Record<
    PromptField,
    boolean
  >
  return {
    plain: {
      scm_branch: template.scmBranch,
      job_tags: template.jobTags,
      diff_mode: template.diffMode,
      skip_tags: template.skipTags,
      job_type: template.jobType,
      limit: template.limit,
      verbosity: template.verbosity,
      inventory: template.inventoryId,
      execution_environment: template.executionEnvironmentId,
      forks: template.forks,
      job_slice_count: template.jobSliceCount,
      timeout: template.timeout,
      priority: template.priority,
    },
    extraVars: template.extraVars,
    asks,
    survey: template.surveyEnabled ? surveyQuestions(template.surveySpec) : [],
    credentials: sources.credentials,
    instanceGroups: sources.templateGroups,
    labels: sources.templateLabels,
    isContainer: template.container !== null,
    project: project && {
      status: project.status,
      scmBranch: project.scmBranch,
      allowOverride: project.allowOverride,
      updatesOnLaunch: project.scmUpdateOnLaunch,
    },
    inventoryBeingDeleted: sources.inventory?.pendingDeletion ?? false,
  }
}

/** Groups the job may run in, frozen into it. */
export function eligibleGroups(sources: LaunchSources, preventsFallback: boolean, launched: number[] = []): number[] {
  return preferredGroups({
    launched,
    template: sources.templateGroups,
    templatePreventsFallback: preventsFallback,
    inventory: sources.inventoryGroups,
    inventoryPreventsFallback: sources.inventory?.preventInstanceGroupFallback ?? false,
    organization: sources.organizationGroups,
    global: sources.globalGroups,
  })
}

/** Looks up the ids of a launch body; no query where it names none. */
export async function loadObjects({ db, keyring }: LaunchStore, prompts: Prompts): Promise<LaunchObjects> {
  const found: LaunchObjects = { credentials: [], instanceGroups: [], labels: [] }
  if (prompts.inventory !== undefined) {
    const [row] = await db
      .select({ id: inventories.id, beingDeleted: inventories.pendingDeletion })
      .from(inventories)
      .where(eq(inventories.id, prompts.inventory))
    found.inventory = row
  }
  if (prompts.execution_environment !== undefined) {
    const [row] = await db
      .select({ id: executionEnvironments.id })
      .from(executionEnvironments)
      .where(eq(executionEnvironments.id, prompts.execution_environment))
    found.executionEnvironment = row
  }
  if (prompts.instance_groups?.length) {
    found.instanceGroups = await db
      .select({ id: instanceGroups.id })
      .from(instanceGroups)
      .where(inArray(instanceGroups.id, prompts.instance_groups))
  }
  if (prompts.labels?.length) {
    found.labels = await db.select({ id: labels.id }).from(labels).where(inArray(labels.id, prompts.labels))
  }
  if (prompts.credentials?.length) {
    found.credentials = await loadCredentials({ db, keyring }, prompts.credentials)
  }
  return found
}

/** What launching must know of credentials, by their ids. */
export async function loadCredentials(
  { db, keyring }: LaunchStore,
  ids: readonly number[],
): Promise<LaunchCredential[]> {
  const rows = await db
    .select({ credential: sql<StoredCredential>`${credentialJson}` })
    .from(credentials)
    .innerJoin(credentialTypes, eq(credentialTypes.id, credentials.credentialTypeId))
    .where(inArray(credentials.id, [...ids]))
  return rows.map((row) => launchCredential(keyring, row.credential))
}

function launchCredential(keyring: Keyring, stored: StoredCredential): LaunchCredential {
  return {
    id: stored.id,
    name: stored.name,
    description: stored.description,
    typeId: stored.type_id,
    typeName: stored.type_name,
    kind: stored.kind,
    namespace: stored.namespace,
    passwordsNeeded: storedPasswordsAsked(keyring, stored),
    vaultId: typeof stored.inputs.vault_id === 'string' ? stored.inputs.vault_id : '',
  }
}
