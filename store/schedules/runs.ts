import { and, asc, eq, inArray, lt, ne, sql } from 'drizzle-orm'
import { activeStatuses } from '../../model/job.ts'
import type { RunOrigin, RunState } from '../../model/schedule.ts'
import type { Database } from '../database.ts'
import { unifiedJobs } from '../schema/jobs.ts'
import { scheduleRuns } from '../schema/schedule-runs.ts'
import { schedules } from '../schema/schedules.ts'
import { toColumn, toSeconds } from './times.ts'

/** A schedule as stored. */
export type ScheduleRow = typeof schedules.$inferSelect
/** A run as stored. */
export type RunRow = typeof scheduleRuns.$inferSelect

/** A schedule, locked: whoever plans it, launches for it or edits it waits for the others. */
export async function lockSchedule(tx: Database, scheduleId: number): Promise<ScheduleRow | undefined> {
  const [schedule] = await tx.select().from(schedules).where(eq(schedules.id, scheduleId)).for('update')
  return schedule
}

/** The run of one instant (seconds since 1970), if anything is known of it. */
export async function readRun(tx: Database, scheduleId: number, instant: number): Promise<RunRow | undefined> {
  const [run] = await tx
    .select()
    .from(scheduleRuns)
    .where(and(eq(scheduleRuns.scheduleId, scheduleId), eq(scheduleRuns.instant, toColumn(instant))))
  return run
}

/** Writes what becomes of a run. */
export async function saveRun(
  tx: Database,
  scheduleId: number,
  instant: number,
  values: { state: RunState; origin?: RunOrigin; jobId?: number | null; explanation?: string },
): Promise<void> {
  const written = { explanation: '', ...values }
  await tx
    .insert(scheduleRuns)
    .values({ scheduleId, instant: toColumn(instant), ...written })
    .onConflictDoUpdate({
      target: [scheduleRuns.scheduleId, scheduleRuns.instant],
      set: { ...written, modified: sql`now()` },
    })
}

/**
 * Makes runs due that the rule or a user asks for, unless they were launched, wait or are due already; what was left out before is run after
 * all if a user wants it. Returns how many became due.
 */
export async function makeDue(
  tx: Database,
  scheduleId: number,
  instants: readonly number[],
  origin: RunOrigin,
): Promise<number> {
  if (instants.length === 0) return 0
  const rows = instants.map((instant) => ({ scheduleId, instant: toColumn(instant), origin, state: 'due' as const }))
  const insert = tx.insert(scheduleRuns).values(rows)
  const target = [scheduleRuns.scheduleId, scheduleRuns.instant]
  const made =
    origin === 'rule'
      ? await insert.onConflictDoNothing({ target }).returning({ id: scheduleRuns.id })
      : await insert
          .onConflictDoUpdate({
            target,
            set: { state: 'due', origin, explanation: '', modified: sql`now()` },
            setWhere: inArray(scheduleRuns.state, ['skipped', 'missed', 'failed']),
          })
          .returning({ id: scheduleRuns.id })
  return made.length
}

/** Runs of a schedule in one of these states, oldest first; `limit` of them. */
export async function runsIn(
  tx: Database,
  scheduleId: number,
  states: readonly RunState[],
  limit: number,
): Promise<{ instant: number; state: RunState }[]> {
  const rows = await tx
    .select({ instant: scheduleRuns.instant, state: scheduleRuns.state })
    .from(scheduleRuns)
    .where(and(eq(scheduleRuns.scheduleId, scheduleId), inArray(scheduleRuns.state, [...states])))
    .orderBy(asc(scheduleRuns.instant))
    .limit(limit)
  return rows.map(({ instant, state }) => ({ instant: toSeconds(instant), state }))
}

/** How many other runs of the schedule wait. */
export async function waitingBeside(tx: Database, scheduleId: number, instant: number): Promise<number> {
  return await tx.$count(
    scheduleRuns,
    and(
      eq(scheduleRuns.scheduleId, scheduleId),
      eq(scheduleRuns.state, 'waiting'),
      ne(scheduleRuns.instant, toColumn(instant)),
    ),
  )
}

/** Active jobs of a schedule, oldest first, and how many its template has. */
export async function activeJobsOf(
  tx: Database,
  { id, unifiedJobTemplateId }: ScheduleRow,
): Promise<{ activeJobs: number[]; activeOfTemplate: number }> {
  const rows = await tx
    .select({ id: unifiedJobs.id, scheduleId: unifiedJobs.scheduleId })
    .from(unifiedJobs)
    .where(
      and(eq(unifiedJobs.unifiedJobTemplateId, unifiedJobTemplateId), inArray(unifiedJobs.status, [...activeStatuses])),
    )
    .orderBy(asc(unifiedJobs.id))
  const activeJobs = rows.filter(({ scheduleId }) => scheduleId === id).map((row) => row.id)
  return { activeJobs, activeOfTemplate: rows.length }
}

/** Forgets what became of runs long ago, so that a schedule that runs every minute for years stays small. */
export async function forgetOldRuns(tx: Database, scheduleId: number, now: number): Promise<void> {
  await tx
    .delete(scheduleRuns)
    .where(and(eq(scheduleRuns.scheduleId, scheduleId), lt(scheduleRuns.instant, toColumn(now - keptSeconds))))
}

const keptSeconds = 90 * 86_400

/** Leaves out the runs that wait, because a newer one takes their place. */
export async function replaceWaiting(tx: Database, scheduleId: number): Promise<void> {
  await tx
    .update(scheduleRuns)
    .set({ state: 'skipped', explanation: 'A newer run took its place.', modified: sql`now()` })
    .where(
      and(eq(scheduleRuns.scheduleId, scheduleId), eq(scheduleRuns.state, 'waiting'), eq(scheduleRuns.origin, 'rule')),
    )
}

/** Notes that nothing ran at an instant, if nothing else is known of it. */
export async function noteMissed(
  tx: Database,
  scheduleId: number,
  instant: number,
  explanation: string,
): Promise<void> {
  await tx
    .insert(scheduleRuns)
    .values({ scheduleId, instant: toColumn(instant), state: 'missed', explanation })
    .onConflictDoNothing({ target: [scheduleRuns.scheduleId, scheduleRuns.instant] })
}
