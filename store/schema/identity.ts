import { bigint, boolean, index, integer, json, pgTable, text, timestamp } from 'drizzle-orm/pg-core'

/** An instant in UTC with microseconds, as AWX writes it; Drizzle hands it out as text so that no digit is lost. */
export const instant = () => timestamp({ withTimezone: true, precision: 6, mode: 'string' })

/** `created` and `modified`, which every named resource carries. */
export const stamps = () => ({
  created: instant().notNull().defaultNow(),
  modified: instant().notNull().defaultNow(),
})

/** Who may log in. `passwordHash` is argon2id in PHC form; null means that no password works. */
export const users = pgTable('users', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  username: text().notNull().unique(),
  passwordHash: text(),
  firstName: text().notNull().default(''),
  lastName: text().notNull().default(''),
  email: text().notNull().default(''),
  isSuperuser: boolean().notNull().default(false),
  isSystemAuditor: boolean().notNull().default(false),
  lastLogin: instant(),
  ...stamps(),
})

/** Browser and `awx` command sessions. The cookie's value is never stored, only its SHA-256. */
export const sessions = pgTable(
  'sessions',
  {
    keyHash: text().primaryKey(),
    userId: integer()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    expires: instant().notNull(),
    created: instant().notNull().defaultNow(),
  },
  (table) => [index().on(table.expires)],
)

/** OAuth2 personal access tokens. The token is shown once; only its SHA-256 is stored. */
export const tokens = pgTable('tokens', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  userId: integer()
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' }),
  tokenHash: text().notNull().unique(),
  refreshTokenHash: text(),
  description: text().notNull().default(''),
  scope: text().notNull().default('write'),
  expires: instant().notNull(),
  lastUsed: instant(),
  ...stamps(),
})

/** Who made an object and who changed it last. */
export const authors = () => ({
  createdById: integer().references(() => users.id, { onDelete: 'set null' }),
  modifiedById: integer().references(() => users.id, { onDelete: 'set null' }),
})

/** Facts about this installation that are made once, such as `install_uuid`. */
export const installation = pgTable('installation', {
  key: text().primaryKey(),
  value: json().notNull(),
})

/** The answer given to a launch that carried an Idempotency-Key: same key, same job (design: A launch, end to end). */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    /** SHA-256 of user id and key: keys of two users never meet. */
    keyHash: text().primaryKey(),
    /** SHA-256 of route and body; another body under the same key is refused with 422. */
    requestHash: text().notNull(),
    jobId: bigint({ mode: 'number' }).notNull(),
    /** What the launch answered as `ignored_fields`, so that the repeated answer is equal. */
    ignoredFields: json().notNull(),
    created: instant().notNull().defaultNow(),
  },
  // The reaper looks for old ones twice a minute.
  (table) => [index().on(table.created)],
)
