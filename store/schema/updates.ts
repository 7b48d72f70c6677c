import { boolean, index, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { credentials, executionEnvironments } from './catalog.ts'
import { authors, stamps } from './identity.ts'
import { groups, hosts, inventories } from './inventory.ts'
import { parentStatus, projects, unifiedTemplateId } from './templates.ts'

/** What fills an inventory: a file or script of a project, an inventory plugin, or the constructed plugin. */
export const inventorySources = pgTable(
  'inventory_sources',
  {
    id: unifiedTemplateId(),
    name: text().notNull(),
    description: text().notNull().default(''),
    inventoryId: integer()
      .notNull()
      .references(() => inventories.id, { onDelete: 'cascade' }),
    /** file, constructed, scm, or a cloud's name, as AWX's choices. */
    source: text().notNull().default('scm'),
    sourcePath: text().notNull().default(''),
    sourceVars: text().notNull().default(''),
    scmBranch: text().notNull().default(''),
    sourceProjectId: integer().references(() => projects.id, { onDelete: 'set null' }),
    enabledVar: text().notNull().default(''),
    enabledValue: text().notNull().default(''),
    hostFilter: text().notNull().default(''),
    overwrite: boolean().notNull().default(false),
    overwriteVars: boolean().notNull().default(false),
    timeout: integer().notNull().default(0),
    verbosity: integer().notNull().default(1),
    limit: text().notNull().default(''),
    executionEnvironmentId: integer().references(() => executionEnvironments.id, { onDelete: 'set null' }),
    updateOnLaunch: boolean().notNull().default(false),
    updateCacheTimeout: integer().notNull().default(0),
    ...parentStatus(),
    ...authors(),
    ...stamps(),
  },
  (table) => [index().on(table.inventoryId), index().on(table.sourceProjectId)],
)

/** Credentials of an inventory source. */
export const inventorySourceCredentials = pgTable(
  'inventory_source_credentials',
  {
    inventorySourceId: integer()
      .notNull()
      .references(() => inventorySources.id, { onDelete: 'cascade' }),
    credentialId: integer()
      .notNull()
      .references(() => credentials.id, { onDelete: 'cascade' }),
  },
  (table) => [primaryKey({ columns: [table.inventorySourceId, table.credentialId] }), index().on(table.credentialId)],
)

/** Hosts that an inventory source brought: only these are deleted by it when it overwrites. */
export const inventorySourceHosts = pgTable(
  'inventory_source_hosts',
  {
    inventorySourceId: integer()
      .notNull()
      .references(() => inventorySources.id, { onDelete: 'cascade' }),
    hostId: integer()
      .notNull()
      .references(() => hosts.id, { onDelete: 'cascade' }),
  },
  (table) => [primaryKey({ columns: [table.inventorySourceId, table.hostId] }), index().on(table.hostId)],
)

/** Groups that an inventory source brought. */
export const inventorySourceGroups = pgTable(
  'inventory_source_groups',
  {
    inventorySourceId: integer()
      .notNull()
      .references(() => inventorySources.id, { onDelete: 'cascade' }),
    groupId: integer()
      .notNull()
      .references(() => groups.id, { onDelete: 'cascade' }),
  },
  (table) => [primaryKey({ columns: [table.inventorySourceId, table.groupId] }), index().on(table.groupId)],
)

/** Inventories that a constructed inventory is made from, in order. */
export const inventoryInputs = pgTable(
  'inventory_inputs',
  {
    inventoryId: integer()
      .notNull()
      .references(() => inventories.id, { onDelete: 'cascade' }),
    inputInventoryId: integer()
      .notNull()
      .references(() => inventories.id, { onDelete: 'cascade' }),
    position: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.inventoryId, table.inputInventoryId] }), index().on(table.inputInventoryId)],
)

/** What cleans the house itself; comes with the release, one for each kind of work. */
export const systemJobTemplates = pgTable('system_job_templates', {
  id: unifiedTemplateId(),
  name: text().notNull(),
  description: text().notNull().default(''),
  /** cleanup_jobs, cleanup_activitystream, cleanup_sessions or cleanup_tokens. */
  jobType: text().notNull(),
  executionEnvironmentId: integer().references(() => executionEnvironments.id, { onDelete: 'set null' }),
  ...parentStatus(),
  ...stamps(),
})
