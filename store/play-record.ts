import { and, asc, count, desc, eq, inArray, like, sql } from 'drizzle-orm'
import type { EventRow } from '../model/event.ts'
import type { PlayOutcome } from '../model/explanation.ts'
import type { Database } from './database.ts'
import { jobEvents } from './schema/jobs.ts'

/** What the stored events tell of a play as a whole, read once at its end: a reader that resumed half-way has not seen them all. */
export interface PlayRecord extends Pick<PlayOutcome, 'failedTasks' | 'errorLines'> {
  /** playbook_on_stats; null when the play did not come that far. */
  stats: EventRow | null
  events: number
  plays: number
  tasks: number
}

const failures = ['runner_on_failed', 'runner_on_unreachable', 'runner_on_async_failed']
/** Enough for an explanation; the output has them all. */
const kept = 5

/** Reads the record of a job's play. */
export async function readPlayRecord(db: Database, jobId: number): Promise<PlayRecord> {
  const ofJob = eq(jobEvents.jobId, jobId)
  const times = (event: string) => sql<number>`count(*) FILTER (WHERE ${jobEvents.event} = ${event})`.mapWith(Number)
  const [[counts], [stats], failed, errors] = await Promise.all([
    db
      .select({ events: count(), plays: times('playbook_on_play_start'), tasks: times('playbook_on_task_start') })
      .from(jobEvents)
      .where(ofJob),
    db
      .select()
      .from(jobEvents)
      .where(and(ofJob, eq(jobEvents.event, 'playbook_on_stats')))
      .orderBy(desc(jobEvents.counter))
      .limit(1),
    db
      .select({ host: jobEvents.hostName, task: jobEvents.task, data: jobEvents.eventData })
      .from(jobEvents)
      .where(and(ofJob, eq(jobEvents.failed, true), inArray(jobEvents.event, failures)))
      .orderBy(asc(jobEvents.counter))
      .limit(kept),
    db
      .select({ stdout: jobEvents.stdout })
      .from(jobEvents)
      .where(and(ofJob, inArray(jobEvents.event, ['verbose', 'error']), like(jobEvents.stdout, '%ERROR%')))
      .orderBy(asc(jobEvents.counter))
      .limit(kept),
  ])
  return {
    events: counts?.events ?? 0,
    plays: counts?.plays ?? 0,
    tasks: counts?.tasks ?? 0,
    stats: stats ? withoutNull(stats) : null,
    failedTasks: failed.map(({ host, task, data }) => ({ host, task, message: messageOf(data) })),
    errorLines: errors.map(({ stdout }) => stdout),
  }
}

function withoutNull({ stdoutRaw, ...row }: typeof jobEvents.$inferSelect): EventRow {
  return stdoutRaw ? { ...row, stdoutRaw } : row
}

/** `res.msg` of a failed result; a module that says nothing there mostly says it on stderr. */
function messageOf(data: Record<string, unknown>): string {
  const result = data.res
  if (typeof result !== 'object' || result === null) return ''
  for (const key of ['msg', 'stderr', 'reason'] as const) {
    const value = (result as Record<string, unknown>)[key]
    if (typeof value === 'string' && value !== '') return value
  }
  return ''
}
