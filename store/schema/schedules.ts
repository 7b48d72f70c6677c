import { boolean, index, integer, pgTable, primaryKey, text, unique } from 'drizzle-orm/pg-core'
import type { OverlapPolicy } from '../../model/schedule.ts'
import { credentials, orderedGroups } from './catalog.ts'
import { authors, instant, stamps } from './identity.ts'
import { promptColumns } from './prompts.ts'

/** When a template is launched by itself, and with what. */
export const schedules = pgTable(
  'schedules',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull(),
    description: text().notNull().default(''),
    /** Id in the id space that all templates share. No foreign key: the template's resource deletes its schedules. */
    unifiedJobTemplateId: integer().notNull(),
    enabled: boolean().notNull().default(true),
    /** As model/recurrence/ reads and normalizes it. */
    rrule: text().notNull(),
    /** First and last instant of all; null where there is none. */
    dtstart: instant(),
    dtend: instant(),
    /** The first instant that has not been seen to; null while disabled and when all are over. */
    nextRun: instant(),
    overlapPolicy: text().$type<OverlapPolicy>().notNull().default('allow_all'),
    /** Seconds that a run may be late, because we or Temporal were away, before it is left out. */
    catchupWindow: integer().notNull().default(3600),
    /** Seconds by which each run is put off at random, at most. */
    jitter: integer().notNull().default(0),
    /** Disables itself when a job of it fails. */
    pauseOnFailure: boolean().notNull().default(false),
    /** Since when `rrule` and `enabled` are what they are: no instant before counts by them. */
    ruleSince: instant().notNull().defaultNow(),
    /** The last instant that Temporal was told of; null: none. */
    plannedUntil: instant(),
    ...promptColumns(),
    ...authors(),
    ...stamps(),
  },
  (table) => [
    unique().on(table.unifiedJobTemplateId, table.name),
    index().on(table.nextRun),
    index().on(table.unifiedJobTemplateId, table.nextRun),
  ],
)

/** The schedule that a row belongs to. */
export const scheduleReference = () =>
  integer()
    .notNull()
    .references(() => schedules.id, { onDelete: 'cascade' })

/** Credentials that a schedule gives to its jobs. */
export const scheduleCredentials = pgTable(
  'schedule_credentials',
  {
    scheduleId: scheduleReference(),
    credentialId: integer()
      .notNull()
      .references(() => credentials.id, { onDelete: 'cascade' }),
  },
  (table) => [primaryKey({ columns: [table.scheduleId, table.credentialId] }), index().on(table.credentialId)],
)

/** Instance groups that a schedule gives to its jobs, preferred first. */
export const scheduleInstanceGroups = pgTable(
  'schedule_instance_groups',
  { scheduleId: scheduleReference(), ...orderedGroups() },
  (table) => [primaryKey({ columns: [table.scheduleId, table.instanceGroupId] })],
)
