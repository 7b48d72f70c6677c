import { sql } from 'drizzle-orm'
import {
  type AnyPgColumn,
  boolean,
  index,
  integer,
  json,
  pgSequence,
  pgTable,
  primaryKey,
  text,
  unique,
} from 'drizzle-orm/pg-core'
import { instant, stamps, users } from './identity.ts'

/** Projects and all kinds of templates share one id space, as AWX's `unified_job_template` ids do. */
export const unifiedJobTemplateIds = pgSequence('unified_job_template_id_seq')
const unifiedTemplateId = () => integer().primaryKey().default(sql`nextval('unified_job_template_id_seq')`)

const authors = () => ({
  createdById: integer().references(() => users.id, { onDelete: 'set null' }),
  modifiedById: integer().references(() => users.id, { onDelete: 'set null' }),
})

/** What everything else belongs to. */
export const organizations = pgTable('organizations', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull().unique(),
  description: text().notNull().default(''),
  maxHosts: integer().notNull().default(0),
  defaultEnvironmentId: integer().references((): AnyPgColumn => executionEnvironments.id, { onDelete: 'set null' }),
  ...authors(),
  ...stamps(),
})

/** What credentials of a kind hold, and what they mean for a play; managed ones come with the release. */
export const credentialTypes = pgTable(
  'credential_types',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull(),
    description: text().notNull().default(''),
    /** ssh, vault, net, scm, cloud, kubernetes, … as AWX's `kind`. */
    kind: text().notNull(),
    /** AWX's stable name of a managed type, such as `kubernetes_bearer_token`; null for custom types. */
    namespace: text(),
    managed: boolean().notNull().default(false),
    inputs: json().$type<Record<string, unknown>>().notNull().default({}),
    injectors: json().$type<Record<string, unknown>>().notNull().default({}),
    ...authors(),
    ...stamps(),
  },
  (table) => [unique().on(table.name, table.kind)],
)

/** Secrets that jobs, projects and groups use; secret inputs are sealed. */
export const credentials = pgTable(
  'credentials',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull(),
    description: text().notNull().default(''),
    organizationId: integer().references(() => organizations.id, { onDelete: 'cascade' }),
    userId: integer().references(() => users.id, { onDelete: 'cascade' }),
    credentialTypeId: integer()
      .notNull()
      .references(() => credentialTypes.id, { onDelete: 'restrict' }),
    managed: boolean().notNull().default(false),
    /** Inputs by field id; values of secret fields are sealed by store/secrets.ts, never plain. */
    inputs: json().$type<Record<string, unknown>>().notNull().default({}),
    ...authors(),
    ...stamps(),
  },
  (table) => [unique().on(table.organizationId, table.name, table.credentialTypeId)],
)

/** Images in which plays run. */
export const executionEnvironments = pgTable('execution_environments', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull().unique(),
  description: text().notNull().default(''),
  organizationId: integer().references((): AnyPgColumn => organizations.id, { onDelete: 'cascade' }),
  image: text().notNull(),
  managed: boolean().notNull().default(false),
  credentialId: integer().references(() => credentials.id, { onDelete: 'set null' }),
  /** '', always, missing or never. */
  pull: text().notNull().default(''),
  ...authors(),
  ...stamps(),
})

/** Places where jobs run; a container group is a namespace of a cluster. */
export const instanceGroups = pgTable('instance_groups', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull().unique(),
  isContainerGroup: boolean().notNull().default(false),
  credentialId: integer().references(() => credentials.id, { onDelete: 'set null' }),
  /** True once a credential was set: a group whose credential was deleted refuses to run (design: Deliberate differences). */
  credentialRequired: boolean().notNull().default(false),
  maxConcurrentJobs: integer().notNull().default(0),
  maxForks: integer().notNull().default(0),
  /** The user's delta only, YAML or JSON text, checked on write. */
  podSpecOverride: text().notNull().default(''),
  policyInstancePercentage: integer().notNull().default(0),
  policyInstanceMinimum: integer().notNull().default(0),
  policyInstanceList: json().$type<string[]>().notNull().default([]),
  ...stamps(),
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
    /** AWX's project status: never updated, ok, missing, or that of the last update. */
    status: text().notNull().default('never updated'),
    lastJobId: integer(),
    currentJobId: integer(),
    lastJobFailed: boolean().notNull().default(false),
    lastJobRun: instant(),
    /** Playbooks found at the last update (manual projects: read live). */
    playbookFiles: json().$type<string[]>().notNull().default([]),
    ...authors(),
    ...stamps(),
  },
  (table) => [index().on(table.organizationId, table.name)],
)

/** Hosts and groups of a play. */
export const inventories = pgTable(
  'inventories',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull(),
    description: text().notNull().default(''),
    organizationId: integer()
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    kind: text().notNull().default(''),
    hostFilter: text(),
    /** YAML or JSON text as the user wrote it. */
    variables: text().notNull().default(''),
    preventInstanceGroupFallback: boolean().notNull().default(false),
    pendingDeletion: boolean().notNull().default(false),
    ...authors(),
    ...stamps(),
  },
  (table) => [unique().on(table.organizationId, table.name)],
)

/** Hosts, each in one inventory. */
export const hosts = pgTable(
  'hosts',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull(),
    description: text().notNull().default(''),
    inventoryId: integer()
      .notNull()
      .references(() => inventories.id, { onDelete: 'cascade' }),
    enabled: boolean().notNull().default(true),
    instanceId: text().notNull().default(''),
    variables: text().notNull().default(''),
    lastJobId: integer(),
    lastJobHostSummaryId: integer(),
    ansibleFacts: json().$type<Record<string, unknown>>().notNull().default({}),
    ansibleFactsModified: instant(),
    ...authors(),
    ...stamps(),
  },
  (table) => [unique().on(table.inventoryId, table.name)],
)

/** Groups of hosts, each in one inventory. */
export const groups = pgTable(
  'groups',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull(),
    description: text().notNull().default(''),
    inventoryId: integer()
      .notNull()
      .references(() => inventories.id, { onDelete: 'cascade' }),
    variables: text().notNull().default(''),
    ...authors(),
    ...stamps(),
  },
  (table) => [unique().on(table.inventoryId, table.name)],
)

/** Which hosts are in which groups. */
export const groupHosts = pgTable(
  'group_hosts',
  {
    groupId: integer()
      .notNull()
      .references(() => groups.id, { onDelete: 'cascade' }),
    hostId: integer()
      .notNull()
      .references(() => hosts.id, { onDelete: 'cascade' }),
  },
  (table) => [primaryKey({ columns: [table.groupId, table.hostId] }), index().on(table.hostId)],
)

/** Which groups are in which groups. */
export const groupChildren = pgTable(
  'group_children',
  {
    parentId: integer()
      .notNull()
      .references(() => groups.id, { onDelete: 'cascade' }),
    childId: integer()
      .notNull()
      .references(() => groups.id, { onDelete: 'cascade' }),
  },
  (table) => [primaryKey({ columns: [table.parentId, table.childId] }), index().on(table.childId)],
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
    webhookService: text().notNull().default(''),
    webhookCredentialId: integer().references(() => credentials.id, { onDelete: 'set null' }),
    preventInstanceGroupFallback: boolean().notNull().default(false),
    status: text().notNull().default('never updated'),
    lastJobId: integer(),
    currentJobId: integer(),
    lastJobFailed: boolean().notNull().default(false),
    lastJobRun: instant(),
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

/** Instance groups of a template, inventory or organization, in the order in which they were attached. */
const orderedGroups = () => ({
  instanceGroupId: integer()
    .notNull()
    .references(() => instanceGroups.id, { onDelete: 'cascade' }),
  position: integer().notNull(),
})

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

/** Instance groups of an inventory, preferred first. */
export const inventoryInstanceGroups = pgTable(
  'inventory_instance_groups',
  {
    inventoryId: integer()
      .notNull()
      .references(() => inventories.id, { onDelete: 'cascade' }),
    ...orderedGroups(),
  },
  (table) => [primaryKey({ columns: [table.inventoryId, table.instanceGroupId] })],
)

/** Instance groups of an organization, preferred first. */
export const organizationInstanceGroups = pgTable(
  'organization_instance_groups',
  {
    organizationId: integer()
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    ...orderedGroups(),
  },
  (table) => [primaryKey({ columns: [table.organizationId, table.instanceGroupId] })],
)
