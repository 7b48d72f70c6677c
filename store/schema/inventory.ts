import { boolean, index, integer, json, pgTable, primaryKey, text, unique } from 'drizzle-orm/pg-core'
import { orderedGroups, organizations } from './catalog.ts'
import { authors, instant, stamps } from './identity.ts'

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
