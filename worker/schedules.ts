import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client'
import type { Logger } from 'pino'
import { eachConcurrently } from '../model/concurrently.ts'
import type { Store } from '../store/database.ts'
import { enqueue } from '../store/outbox.ts'
import { justMissed, planSchedule, type SchedulePlan, schedulePlanned, wakeOverdue } from '../store/schedules/plan.ts'
import type { ScheduleRow } from '../store/schedules/runs.ts'
import { toIdText } from '../store/schedules/times.ts'
import { mainTaskQueue, scheduleId, workflowTypes } from '../workflows/names.ts'
import type { ScheduledLaunchInput } from '../workflows/scheduled-launch.ts'
import { Sweep } from './sweep.ts'
import type { TemporalLink } from './temporal.ts'

/** How often it is looked for runs that Temporal should have started and did not. One query by an index. */
const sweepMs = 30_000
/** Runs that are closer than this when Temporal is told of them are started by us as well: the message may have come too late. */
const tooCloseSeconds = 2
/** Starts in flight at once. */
const concurrency = 8

const months = [
  'JANUARY',
  'FEBRUARY',
  'MARCH',
  'APRIL',
  'MAY',
  'JUNE',
  'JULY',
  'AUGUST',
  'SEPTEMBER',
  'OCTOBER',
  'NOVEMBER',
  'DECEMBER',
] as const

/**
 * Brings a schedule of Temporal in line with its row, whatever was there before. Temporal is told of the next instants themselves, so that what it runs is what
 * the preview shows; it is told of more as they are used up. Runs that are overdue are started here, under the id that Temporal would use.
 */
export async function sendSchedulePlan(store: Store, temporal: TemporalLink, id: number): Promise<void> {
  const now = Date.now() / 1000
  const found = await store.db.transaction((tx) => planSchedule(tx, id, now))
  if (!found) return await forget(temporal, id)
  const { schedule, plan, starts, more } = found
  const due = [...starts]
  if (plan) {
    if (plan.instants.length === 0) await forget(temporal, id)
    else await tell(temporal, schedule, plan)
    await schedulePlanned(store.db, schedule, plan.instants.at(-1) ?? null)
    if (schedule.enabled) due.push(...justMissed(schedule, now, Date.now() / 1000 + tooCloseSeconds))
  }
  await eachConcurrently(new Set(due), concurrency, (instant) => startRun(temporal, id, instant))
  if (more) await enqueue(store.db, 'plan_schedule', id)
}

async function tell(
  { client }: TemporalLink,
  schedule: ScheduleRow,
  plan: NonNullable<SchedulePlan['plan']>,
): Promise<void> {
  const spec = { calendars: plan.instants.map(calendarOf), jitter: plan.jitter * 1000, timezone: 'UTC' }
  const action = {
    type: 'startWorkflow' as const,
    workflowType: workflowTypes.scheduledLaunch,
    taskQueue: mainTaskQueue,
    // Temporal adds the instant.
    workflowId: scheduleId(schedule.id),
    args: [{ scheduleId: schedule.id } satisfies ScheduledLaunchInput],
    staticSummary: schedule.name,
  }
  // What happens when runs overlap is decided where the jobs are known (model/schedule.ts).
  const policies = { overlap: ScheduleOverlapPolicy.ALLOW_ALL, catchupWindow: Math.max(plan.catchupWindow, 10) * 1000 }
  try {
    await client.schedule.create({ scheduleId: scheduleId(schedule.id), spec, action, policies })
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error
    // An operator's pause stays.
    await client.schedule.getHandle(scheduleId(schedule.id)).update(({ state }) => ({ spec, action, policies, state }))
  }
}

async function forget({ client }: TemporalLink, id: number): Promise<void> {
  try {
    await client.schedule.getHandle(scheduleId(id)).delete()
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error
  }
}

async function startRun({ client }: TemporalLink, id: number, seconds: number): Promise<void> {
  const instant = toIdText(seconds)
  const delay = Math.max(0, seconds * 1000 - Date.now())
  const input: ScheduledLaunchInput = { scheduleId: id, instant }
  await client.workflow.start(workflowTypes.scheduledLaunch, {
    workflowId: `${scheduleId(id)}-${instant}`,
    taskQueue: mainTaskQueue,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    // A run that waited, or was left out and is wanted after all, has ended once. What was launched is not launched again.
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    ...(delay > 0 ? { startDelay: delay } : {}),
  })
}

/** An instant as Temporal's calendar of one second. */
function calendarOf(seconds: number) {
  const date = new Date(seconds * 1000)
  return {
    year: date.getUTCFullYear(),
    month: months[date.getUTCMonth()] ?? 'JANUARY',
    dayOfMonth: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  }
}

/** Looks now and then for schedules that were forgotten by whoever should have run them, so that none dies of one accident. */
export function scheduleSweep(store: Store, log: Logger): Sweep {
  const look = async () => {
    const found = await wakeOverdue(store.db)
    if (found > 0) log.info({ schedules: found }, 'schedules have runs to catch up with')
  }
  return new Sweep({ everyMs: sweepMs, look, failed: 'overdue schedules could not be looked for', log })
}
