import { and, eq, gte, inArray, isNotNull, lt, sql } from 'drizzle-orm'
import { nextOccurrences, occurrencesAfter } from '../../model/recurrence/occurrences.ts'
import { parseRecurrence, type Recurrence } from '../../model/recurrence/parse.ts'
import { plannedRuns, planRunsLow } from '../../model/schedule.ts'
import type { Database } from '../database.ts'
import { enqueue } from '../outbox.ts'
import { unifiedJobs } from '../schema/jobs.ts'
import { scheduleRuns } from '../schema/schedule-runs.ts'
import { schedules } from '../schema/schedules.ts'
import { scheduledType, tellTemplate } from './next-run.ts'
import { activeJobsOf, forgetOldRuns, lockSchedule, noteMissed, runsIn, type ScheduleRow } from './runs.ts'
import { toColumn, toSeconds } from './times.ts'

/** Runs of each sort that are started in one pass; the rest follow in the next. */
const mostStarts = 50

/** What Temporal is to do for a schedule. Instants in seconds since 1970. */
export interface SchedulePlan {
  schedule: ScheduleRow
  /** What it is to know; null: nothing new. No instants: it has no use for the schedule any more. */
  plan: { instants: number[]; jitter: number; catchupWindow: number } | null
  /** Runs to be started now, because nobody else will. */
  starts: number[]
  /** There are more to be started. */
  more: boolean
}

/**
 * Works out what Temporal has to be told of a schedule, and sees to what is left to do for it; in the caller's transaction. Null when the schedule is gone or
 * disabled, so that Temporal must forget it. `now` in seconds since 1970.
 */
export async function planSchedule(tx: Database, scheduleId: number, now: number): Promise<SchedulePlan | null> {
  const schedule = await lockSchedule(tx, scheduleId)
  if (!schedule) return null
  if (!(await scheduledType(tx, schedule.unifiedJobTemplateId))) {
    // Its template went without its resource knowing, together with an organization or inventory.
    await tx.delete(schedules).where(eq(schedules.id, scheduleId))
    return null
  }
  if (schedule.enabled && (await hasFailed(tx, schedule))) {
    await tx.update(schedules).set({ enabled: false, nextRun: null }).where(eq(schedules.id, scheduleId))
    await tellTemplate(tx, schedule.unifiedJobTemplateId)
    schedule.enabled = false
  }
  if (!schedule.enabled) await leaveOut(tx, scheduleId)
  const starts = await toStart(tx, schedule)
  if (!schedule.enabled) {
    return { schedule, plan: { instants: [], jitter: 0, catchupWindow: 0 }, ...starts }
  }
  await forgetOldRuns(tx, scheduleId, now)
  const recurrence = parseRecurrence(schedule.rrule)
  const overdue = await overdueRuns(tx, schedule, recurrence, now)
  const instants = nextOccurrences(recurrence, now, plannedRuns)
  const plannedUntil = schedule.plannedUntil === null ? null : toSeconds(schedule.plannedUntil)
  const needed = plannedUntil === null || instants.length === 0 || planRunsLow(instants, plannedUntil)
  const { jitter, catchupWindow } = schedule
  return {
    schedule,
    plan: needed ? { instants, jitter, catchupWindow } : null,
    starts: [...new Set([...starts.starts, ...overdue])],
    more: starts.more || overdue.length >= mostStarts,
  }
}

/** Notes what Temporal was told, unless the schedule was edited meanwhile: then another message is under way. */
export async function schedulePlanned(db: Database, schedule: ScheduleRow, until: number | null): Promise<void> {
  await db
    .update(schedules)
    .set({ plannedUntil: until === null ? null : toColumn(until) })
    .where(and(eq(schedules.id, schedule.id), eq(schedules.modified, schedule.modified)))
}

/** Instants between now and `until` that Temporal may have been told of too late. */
export function justMissed({ rrule }: ScheduleRow, now: number, until: number): number[] {
  return nextOccurrences(parseRecurrence(rrule), now, plannedRuns).filter((instant) => instant <= until)
}

/**
 * Schedules whose next run is overdue, although Temporal should have run it, and those whose runs wait: their plan is made anew. By an index, so many schedules
 * cost no more than few. Returns how many were found.
 */
export async function wakeOverdue(db: Database): Promise<number> {
  return await db.transaction(async (tx) => {
    const overdue = await tx
      .update(schedules)
      .set({ plannedUntil: null })
      .where(
        and(
          lt(schedules.nextRun, sql`now() - interval '1 minute'`),
          sql`${schedules.nextRun} < now() - interval '1 minute' - ${schedules.jitter} * interval '1 second'`,
        ),
      )
      .returning({ id: schedules.id })
    const waiting = await tx
      .selectDistinct({ id: scheduleRuns.scheduleId })
      .from(scheduleRuns)
      .where(inArray(scheduleRuns.state, ['due', 'waiting']))
    const found = new Set([...overdue, ...waiting].map(({ id }) => id))
    for (const id of found) await enqueue(tx, 'plan_schedule', id)
    return found.size
  })
}

/** Whether a job of the schedule failed since it was enabled, and that disables it. */
async function hasFailed(tx: Database, { id, pauseOnFailure, ruleSince }: ScheduleRow): Promise<boolean> {
  if (!pauseOnFailure) return false
  const failed = await tx.$count(
    unifiedJobs,
    and(
      eq(unifiedJobs.scheduleId, id),
      inArray(unifiedJobs.status, ['failed', 'error']),
      isNotNull(unifiedJobs.finished),
      gte(unifiedJobs.finished, ruleSince),
    ),
  )
  return failed > 0
}

/** What a disabled schedule has not begun is left out; what a user asked for is not. */
async function leaveOut(tx: Database, scheduleId: number): Promise<void> {
  await tx
    .update(scheduleRuns)
    .set({ state: 'skipped', explanation: 'The schedule was disabled.', modified: sql`now()` })
    .where(
      and(
        eq(scheduleRuns.scheduleId, scheduleId),
        eq(scheduleRuns.origin, 'rule'),
        inArray(scheduleRuns.state, ['due', 'waiting']),
      ),
    )
}

/** Runs that are due, and the first that waits if nothing is in its way. */
async function toStart(tx: Database, schedule: ScheduleRow): Promise<{ starts: number[]; more: boolean }> {
  const due = await runsIn(tx, schedule.id, ['due'], mostStarts + 1)
  const starts = due.slice(0, mostStarts).map(({ instant }) => instant)
  const [first] = await runsIn(tx, schedule.id, ['waiting'], 1)
  if (first) {
    const { activeJobs } = await activeJobsOf(tx, schedule)
    if (activeJobs.length === 0 || schedule.overlapPolicy === 'allow_all') starts.push(first.instant)
  }
  return { starts, more: due.length > mostStarts }
}

/** Instants that are over and of which nothing is known. What is older than the catch-up window is given up. */
async function overdueRuns(
  tx: Database,
  schedule: ScheduleRow,
  recurrence: Recurrence,
  now: number,
): Promise<number[]> {
  if (schedule.nextRun === null) return []
  const first = toSeconds(schedule.nextRun)
  if (first > now) return []
  const oldest = now - schedule.jitter - schedule.catchupWindow
  const overdue: number[] = []
  for (const instant of occurrencesAfter(recurrence, Math.max(first - 1, oldest))) {
    if (instant > now || overdue.length >= mostStarts) break
    overdue.push(instant)
  }
  if (first < oldest) await giveUp(tx, schedule, recurrence, { first, oldest, now })
  return overdue
}

/** Notes that runs were missed altogether, at the last of them, and lets the schedule go on. */
async function giveUp(
  tx: Database,
  schedule: ScheduleRow,
  recurrence: Recurrence,
  { first, oldest, now }: { first: number; oldest: number; now: number },
): Promise<void> {
  const explanation = `Nothing could run then. Other runs since ${toColumn(first)} were missed too, if the schedule had any.`
  await noteMissed(tx, schedule.id, first, explanation)
  const [next] = nextOccurrences(recurrence, Math.min(oldest, now), 1)
  const nextRun = next === undefined ? null : toColumn(next)
  await tx.update(schedules).set({ nextRun }).where(eq(schedules.id, schedule.id))
  await tellTemplate(tx, schedule.unifiedJobTemplateId)
}
