import {
  type AnyPgColumn,
  boolean,
  doublePrecision,
  integer,
  json,
  pgTable,
  primaryKey,
  text,
  unique,
} from 'drizzle-orm/pg-core'
import { authors, instant, stamps, users } from './identity.ts'

/** What everything else belongs to. */
export const organizations = pgTable('organizations', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull().unique(),
  description: text().notNull().default(''),
  maxHosts: integer().notNull().default(0),
  /** Its share of a busy group's places, relative to those of other organizations. */
  fairShareWeight: doublePrecision().notNull().default(1),
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
  /** Set while the group is drained: it admits nobody, and jobs that have other groups wait there. */
  drainingSince: instant(),
  /** When what still runs in a drained group is evicted; null: never. */
  drainDeadline: instant(),
  /** The user's delta only, YAML or JSON text, checked on write. */
  podSpecOverride: text().notNull().default(''),
  policyInstancePercentage: integer().notNull().default(0),
  policyInstanceMinimum: integer().notNull().default(0),
  policyInstanceList: json().$type<string[]>().notNull().default([]),
  ...stamps(),
})

/** Instance groups of a template, inventory or organization, in the order in which they were attached. */
export const orderedGroups = () => ({
  instanceGroupId: integer()
    .notNull()
    .references(() => instanceGroups.id, { onDelete: 'cascade' }),
  position: integer().notNull(),
})

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

/** Galaxy servers from which projects of an organization install roles and collections, in the order in which they are asked. */
export const organizationGalaxyCredentials = pgTable(
  'organization_galaxy_credentials',
  {
    organizationId: integer()
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    credentialId: integer()
      .notNull()
      .references(() => credentials.id, { onDelete: 'cascade' }),
    position: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.organizationId, table.credentialId] })],
)
