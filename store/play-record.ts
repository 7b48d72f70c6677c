import { type SQL, sql } from 'drizzle-orm'
import type { EventRow } from '../model/event.ts'
import type { PlayOutcome } from '../model/explanation.ts'
import type { Database } from './database.ts'
import { preparedSql } from './prepared.ts'

/** What the stored events tell of a play as a whole, read once at its end: a reader that resumed half-way has not seen them all. */
export interface PlayRecord extends Pick<PlayOutcome, 'failedTasks' | 'errorLines'> {
  /** playbook_on_stats; null when the play did not come that far. */
  stats: Pick<EventRow, 'event' | 'eventData'> | null
  events: number
  plays: number
  tasks: number
  /** Whether anything failed or changed that is to be shown above it, see propagateEventFlags. */
  hasFlags: boolean
}

const failures = sql`'runner_on_failed', 'runner_on_unreachable', 'runner_on_async_failed'`
/** Enough for an explanation; the output has them all. */
const kept = 5

interface RecordRow {
  events: number
  plays: number
  tasks: number
  flags: boolean
  stats: Record<string, unknown> | null
  failed: { host: string; task: string; data: Record<string, unknown> }[]
  errors: string[]
}

const playRecord = preparedSql<undefined, RecordRow>(
  'play_record',
  () => '',
  () => {
    const jobId = sql`${sql.placeholder('jobId')}::int`
    const limit = sql.raw(String(kept))
    return sql`
    SELECT count(*)::int AS events, count(*) FILTER (WHERE event = 'playbook_on_play_start')::int AS plays,
      count(*) FILTER (WHERE event = 'playbook_on_task_start')::int AS tasks,
      coalesce(bool_or((failed OR changed) AND parent_uuid <> ''), false) AS flags,
      (SELECT event_data FROM job_events WHERE job_id = ${jobId} AND event = 'playbook_on_stats' ORDER BY counter DESC LIMIT 1) AS stats,
      ${listOf(
        sql`json_build_object('host', host_name, 'task', task, 'data', event_data)`,
        sql`SELECT * FROM job_events
        WHERE job_id = ${jobId} AND failed AND event IN (${failures}) ORDER BY counter LIMIT ${limit}`,
      )} AS failed,
      ${listOf(
        sql`stdout`,
        sql`SELECT * FROM job_events
        WHERE job_id = ${jobId} AND event IN ('verbose', 'error') AND stdout LIKE '%ERROR%' ORDER BY counter LIMIT ${limit}`,
      )} AS errors
    FROM job_events WHERE job_id = ${jobId}`
  },
)

/** Reads the record of a job's play, in one statement. */
export async function readPlayRecord(db: Database, jobId: number): Promise<PlayRecord> {
  const { rows } = await playRecord(db, undefined).execute({ jobId })
  const [record] = rows
  if (!record) throw new Error('a count has a row')
  const { events, plays, tasks, flags, stats, failed, errors } = record
  return {
    ...{ events, plays, tasks, hasFlags: flags },
    stats: stats && { event: 'playbook_on_stats', eventData: stats },
    failedTasks: failed.map(({ host, task, data }) => ({ host, task, message: messageOf(data) })),
    errorLines: errors,
  }
}

const listOf = (value: SQL, query: SQL) => sql`(SELECT coalesce(json_agg(${value}), '[]') FROM (${query}) found)`

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
