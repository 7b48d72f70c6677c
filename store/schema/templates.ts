import { sql } from 'drizzle-orm'
import { boolean, index, integer, json, pgSequence, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import type { ContainerSpec } from '../../model/container.ts'
import { defaultPriority } from '../../model/priority.ts'
import type { RetryPolicy } from '../../model/retry-policy.ts'
import { credentials, executionEnvironments, orderedGroups, organizations } from './catalog.ts'
import { authors, instant, stamps } from './identity.ts'
import { inventories } from './inventory.ts'

/** Projects and all kinds of templates share one id space, as AWX's `unified_job_template` ids do. */
export const unifiedJobTemplateIds = pgSequence('unified_job_template_id_seq')

/** Primary key of a template of any kind, from their shared sequence. */
export const unifiedTemplateId = () => integer().primaryKey().default(sql`nextval('unified_job_template_id_seq')`)

/**
 * What a template or project shows of the jobs made from it; kept by store/job-parent.ts. `status` is AWX's: never updated, that of the current
 * or last job; of a project also ok and missing.
 */
export const parentStatus = () => ({
  status: text().notNull().default('never updated'),
  lastJobId: integer(),
  currentJobId: integer(),
  lastJobFailed: boolean().notNull().default(false),
  lastJobRun: instant(),
  /** The first run of its schedules that is to come; kept by store/schedules/next-run.ts. */
  nextJobRun: instant(),
  nextScheduleId: integer(),
})

/** Where playbooks come from. */
export const projects = pgTable(
  'projects',
  {
    id: unifiedTemplateId(),
    name: text().notNull(),
    description: text().notNull().default(''),
    organizationId: integer().references(() => organizations.id, { onDelete: 'cascade' }),
    localPath: text().notNull().default(''),
    /** '' (manual), git, svn, insights or archive. */
    scmType: text().notNull().default(''),
    scmUrl: text().notNull().default(''),
    scmBranch: text().notNull().default(''),
    scmRefspec: text().notNull().default(''),
    scmClean: boolean().notNull().default(false),
    scmTrackSubmodules: boolean().notNull().default(false),
    scmDeleteOnUpdate: boolean().notNull().default(false),
    scmUpdateOnLaunch: boolean().notNull().default(false),
    scmUpdateCacheTimeout: integer().notNull().default(0),
    scmRevision: text().notNull().default(''),
    allowOverride: boolean().notNull().default(false),
    credentialId: integer().references(() => credentials.id, { onDelete: 'set null' }),
    signatureValidationCredentialId: integer().references(() => credentials.id, { onDelete: 'set null' }),
    defaultEnvironmentId: integer().references(() => executionEnvironments.id, { onDelete: 'set null' }),
    timeout: integer().notNull().default(0),
    ...parentStatus(),
    /** Playbooks found at the last update (manual projects: read live). */
    playbookFiles: json().$type<string[]>().notNull().default([]),
    /** Files found at the last update that could be inventories. */
    inventoryFiles: json().$type<string[]>().notNull().default([]),
    ...authors(),
    ...stamps(),
  },
  (table) => [index().on(table.organizationId, table.name)],
)

const ask = () => boolean().notNull().default(false)

/** What is launched again and again. */
export const jobTemplates = pgTable(
  'job_templates',
  {
    id: unifiedTemplateId(),
    name: text().notNull(),
    description: text().notNull().default(''),
    /** Derived from the project, as AWX does. */
    organizationId: integer().references(() => organizations.id, { onDelete: 'set null' }),
    jobType: text().notNull().default('run'),
    inventoryId: integer().references(() => inventories.id, { onDelete: 'set null' }),
    projectId: integer().references(() => projects.id, { onDelete: 'set null' }),
    playbook: text().notNull().default(''),
    scmBranch: text().notNull().default(''),
    forks: integer().notNull().default(0),
    limit: text().notNull().default(''),
    verbosity: integer().notNull().default(0),
    extraVars: text().notNull().default(''),
    jobTags: text().notNull().default(''),
    forceHandlers: boolean().notNull().default(false),
    skipTags: text().notNull().default(''),
    startAtTask: text().notNull().default(''),
    timeout: integer().notNull().default(0),
    useFactCache: boolean().notNull().default(false),
    executionEnvironmentId: integer().references(() => executionEnvironments.id, { onDelete: 'set null' }),
    hostConfigKey: text().notNull().default(''),
    askScmBranchOnLaunch: ask(),
    askDiffModeOnLaunch: ask(),
    askVariablesOnLaunch: ask(),
    askLimitOnLaunch: ask(),
    askTagsOnLaunch: ask(),
    askSkipTagsOnLaunch: ask(),
    askJobTypeOnLaunch: ask(),
    askVerbosityOnLaunch: ask(),
    askInventoryOnLaunch: ask(),
    askCredentialOnLaunch: ask(),
    askExecutionEnvironmentOnLaunch: ask(),
    askLabelsOnLaunch: ask(),
    askForksOnLaunch: ask(),
    askJobSliceCountOnLaunch: ask(),
    askTimeoutOnLaunch: ask(),
    askInstanceGroupsOnLaunch: ask(),
    surveyEnabled: boolean().notNull().default(false),
    surveySpec: json().$type<Record<string, unknown>>().notNull().default({}),
    becomeEnabled: boolean().notNull().default(false),
    diffMode: boolean().notNull().default(false),
    allowSimultaneous: boolean().notNull().default(false),
    jobSliceCount: integer().notNull().default(1),
    /** What a container job runs instead of a playbook. */
    container: json().$type<ContainerSpec>(),
    /** model/priority.ts. */
    priority: integer().notNull().default(defaultPriority),
    askPriorityOnLaunch: ask(),
    retryPolicy: json().$type<RetryPolicy>().notNull().default({}),
    /** How long the pod of a failed job is kept for whoever wants to look into it; 0: not at all. */
    holdOnFailureSeconds: integer().notNull().default(0),
    webhookService: text().notNull().default(''),
    webhookCredentialId: integer().references(() => credentials.id, { onDelete: 'set null' }),
    /** Sealed by store/secrets.ts. */
    webhookKey: text().notNull().default(''),
    preventInstanceGroupFallback: boolean().notNull().default(false),
    ...parentStatus(),
    ...authors(),
    ...stamps(),
  },
  (table) => [index().on(table.organizationId, table.name), index().on(table.name)],
)

/** Credentials that come with a template. */
export const jobTemplateCredentials = pgTable(
  'job_template_credentials',
  {
    jobTemplateId: integer()
      .notNull()
      .references(() => jobTemplates.id, { onDelete: 'cascade' }),
    credentialId: integer()
      .notNull()
      .references(() => credentials.id, { onDelete: 'cascade' }),
  },
  (table) => [primaryKey({ columns: [table.jobTemplateId, table.credentialId] }), index().on(table.credentialId)],
)

/** Instance groups of a template, preferred first. */
export const jobTemplateInstanceGroups = pgTable(
  'job_template_instance_groups',
  {
    jobTemplateId: integer()
      .notNull()
      .references(() => jobTemplates.id, { onDelete: 'cascade' }),
    ...orderedGroups(),
  },
  (table) => [primaryKey({ columns: [table.jobTemplateId, table.instanceGroupId] })],
)
