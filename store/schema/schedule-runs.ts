import { index, integer, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { RunOrigin, RunState } from '../../model/schedule.ts'
import { instant, stamps } from './identity.ts'
import { unifiedJobs } from './jobs.ts'
import { scheduleReference } from './schedules.ts'

/** What became of each instant of a schedule. The unique index is what makes a run happen once, whoever asks for it and how often. */
export const scheduleRuns = pgTable(
  'schedule_runs',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    scheduleId: scheduleReference(),
    instant: instant().notNull(),
    origin: text().$type<RunOrigin>().notNull().default('rule'),
    state: text().$type<RunState>().notNull(),
    jobId: integer().references(() => unifiedJobs.id, { onDelete: 'set null' }),
    /** Why it was left out, for whom it waits. */
    explanation: text().notNull().default(''),
    ...stamps(),
  },
  (table) => [uniqueIndex().on(table.scheduleId, table.instant), index().on(table.state), index().on(table.jobId)],
)
