import { eq } from 'drizzle-orm'
import { nextOccurrences, occursAt } from '../../model/recurrence/occurrences.ts'
import { parseRecurrence } from '../../model/recurrence/parse.ts'
import { decideRun, plannedRuns, planRunsLow, type RunState } from '../../model/schedule.ts'
import { cancelJob } from '../cancel-job.ts'
import type { Database } from '../database.ts'
import { enqueue } from '../outbox.ts'
import { schedules } from '../schema/schedules.ts'
import type { Keyring } from '../secrets.ts'
import { launchScheduled } from './launch.ts'
import { tellTemplate } from './next-run.ts'
import {
  activeJobsOf,
  lockSchedule,
  readRun,
  replaceWaiting,
  type ScheduleRow,
  saveRun,
  waitingBeside,
} from './runs.ts'
import { toColumn, toSeconds } from './times.ts'

/** What became of a run. `void`: there is no such run, because the schedule was deleted, disabled or edited before. */
export interface RunResult {
  state: RunState | 'void'
  jobId: number | null
  explanation: string
}

const nothing = (explanation: string): RunResult => ({ state: 'void', jobId: null, explanation })

/**
 * Runs a schedule for one of its instants (seconds since 1970), within the caller's transaction. However often it is asked for, by Temporal, by the sweep or by a
 * user, an instant launches one job at most: the row of the run is written in the transaction that makes the job, under the lock of the
 * schedule.
 */
export async function runSchedule(
  tx: Database,
  keyring: Keyring,
  { scheduleId, instant, now }: { scheduleId: number; instant: number; now: number },
): Promise<RunResult> {
  const schedule = await lockSchedule(tx, scheduleId)
  if (!schedule) return nothing('The schedule was deleted.')
  const run = await readRun(tx, scheduleId, instant)
  if (run && run.state !== 'due' && run.state !== 'waiting') {
    return { state: run.state, jobId: run.jobId, explanation: run.explanation }
  }
  const origin = run?.origin ?? 'rule'
  if (origin === 'rule' && !schedule.enabled) return nothing('The schedule is disabled.')
  // Instants of a rule that is no more are due only if the change of the rule found them so.
  if (!run && (instant < toSeconds(schedule.ruleSince) || !occursAt(parseRecurrence(schedule.rrule), instant))) {
    return nothing('The schedule has no run at this time any more.')
  }
  const result = await runDue(tx, keyring, schedule, { instant, origin, waits: run?.state === 'waiting', now })
  await saveRun(tx, scheduleId, instant, { ...result, origin })
  // Whoever plans looks whether it is its turn.
  if (result.state === 'waiting') await enqueue(tx, 'plan_schedule', scheduleId)
  await goOn(tx, schedule, instant, now)
  return result
}

async function runDue(
  tx: Database,
  keyring: Keyring,
  schedule: ScheduleRow,
  run: { instant: number; origin: 'rule' | 'backfill'; waits: boolean; now: number },
): Promise<RunResult & { state: RunState }> {
  const late = run.now - run.instant - schedule.jitter
  if (run.origin === 'rule' && !run.waits && late > schedule.catchupWindow) {
    const explanation = `It was ${Math.round(late)} s late, and the schedule's catchup_window is ${schedule.catchupWindow} s.`
    return { state: 'missed', jobId: null, explanation }
  }
  const active = await activeJobsOf(tx, schedule)
  const waiting = await waitingBeside(tx, schedule.id, run.instant)
  const decision = decideRun({ ...run, policy: schedule.overlapPolicy, waiting, ...active })
  if (decision.act === 'skip') return { state: 'skipped', jobId: null, explanation: decision.explanation }
  if (decision.act === 'wait') {
    for (const jobId of decision.cancel) await cancelJob(tx, jobId)
    if (decision.replaces) await replaceWaiting(tx, schedule.id)
    return { state: 'waiting', jobId: null, explanation: decision.explanation }
  }
  const { jobId, problem } = await launchScheduled(tx, keyring, schedule)
  return { state: problem === null ? 'launched' : 'failed', jobId, explanation: problem ?? '' }
}

/** The schedule goes on to its next instant; Temporal is told of more when it knows of few. */
async function goOn(tx: Database, schedule: ScheduleRow, instant: number, now: number): Promise<void> {
  if (!schedule.enabled) return
  const recurrence = parseRecurrence(schedule.rrule)
  if (schedule.nextRun !== null && toSeconds(schedule.nextRun) <= instant) {
    const [next] = nextOccurrences(recurrence, instant, 1)
    const nextRun = next === undefined ? null : toColumn(next)
    await tx.update(schedules).set({ nextRun }).where(eq(schedules.id, schedule.id))
    await tellTemplate(tx, schedule.unifiedJobTemplateId)
  }
  const plannedUntil = schedule.plannedUntil === null ? null : toSeconds(schedule.plannedUntil)
  const next = nextOccurrences(recurrence, Math.max(now, instant), plannedRuns / 2)
  if (next.length === 0 || planRunsLow(next, plannedUntil)) await enqueue(tx, 'plan_schedule', schedule.id)
}
