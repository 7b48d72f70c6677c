import { nextOccurrences, occurrencesAfter } from '../../model/recurrence/occurrences.ts'
import { parseRecurrence } from '../../model/recurrence/parse.ts'
import type { Database } from '../database.ts'
import { enqueue } from '../outbox.ts'
import type { unifiedJobs } from '../schema/jobs.ts'
import { tellTemplate } from './next-run.ts'
import { makeDue, type ScheduleRow } from './runs.ts'
import { toSeconds } from './times.ts'

/** Runs of an old rule that an edit finds overdue, at most. */
const mostOverdue = 1_000
/** Runs that one backfill may ask for. */
export const mostBackfilled = 500

/**
 * What follows when a schedule was made or edited, in the same transaction: Temporal is to be told, its template shows its next run, and runs of the
 * rule as it was until now that are overdue stay due. `now` in seconds since 1970.
 */
export async function scheduleWritten(
  tx: Database,
  schedule: ScheduleRow,
  before: ScheduleRow | undefined,
  now: number,
): Promise<void> {
  if (before?.enabled && schedule.enabled && before.nextRun !== null && before.rrule !== schedule.rrule) {
    await makeDue(tx, schedule.id, overdueOf(before, now), 'rule')
  }
  await enqueue(tx, 'plan_schedule', schedule.id)
  await tellTemplate(tx, schedule.unifiedJobTemplateId)
  if (before && before.unifiedJobTemplateId !== schedule.unifiedJobTemplateId) {
    await tellTemplate(tx, before.unifiedJobTemplateId)
  }
}

/** What follows when a schedule was deleted. */
export async function scheduleDeleted(tx: Database, schedule: ScheduleRow): Promise<void> {
  await enqueue(tx, 'plan_schedule', schedule.id)
  await tellTemplate(tx, schedule.unifiedJobTemplateId)
}

/** A job that a schedule launched has ended: a run may wait for that, or the schedule is to stop when it failed. */
export async function scheduledJobEnded(tx: Database, job: typeof unifiedJobs.$inferSelect): Promise<void> {
  if (job.scheduleId !== null) await enqueue(tx, 'plan_schedule', job.scheduleId)
}

/** Runs of the past that a user asks for: makes those due that were not launched, and has them started. Returns how many. */
export async function backfill(
  tx: Database,
  schedule: ScheduleRow,
  { start, end }: { start: number; end: number },
): Promise<{ due: number; instants: number[] } | 'too many'> {
  const instants: number[] = []
  for (const instant of occurrencesAfter(parseRecurrence(schedule.rrule), start - 1)) {
    if (instant > end) break
    if (instants.push(instant) > mostBackfilled) return 'too many'
  }
  const due = await makeDue(tx, schedule.id, instants, 'backfill')
  if (due > 0) await enqueue(tx, 'plan_schedule', schedule.id)
  return { due, instants }
}

function overdueOf({ rrule, nextRun, catchupWindow, jitter }: ScheduleRow, now: number): number[] {
  const first = Math.max(toSeconds(nextRun ?? '') - 1, now - catchupWindow - jitter)
  return nextOccurrences(parseRecurrence(rrule), first, mostOverdue).filter((instant) => instant <= now)
}
