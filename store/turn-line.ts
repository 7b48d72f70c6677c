import { type SQL, sql } from 'drizzle-orm'
import { activeStatuses } from '../model/job.ts'
import { lineKey } from './line-key.ts'
import type { unifiedJobs } from './schema/jobs.ts'

/**
 * The urgency of starts that rest until it is their job's turn, because its template allows one at a time: no claim looks at them. Their line is the template's id, of no organization. Who takes one
 * out of there (store/wake-turns.ts) gives it what every other start has.
 */
export const restingUrgency = 9

/** Which rows of `outbox` are such starts. */
export function resting(message: SQL): SQL {
  return sql`${message}.kind = 'start' AND ${message}.urgency = ${sql.raw(String(restingUrgency))}`
}

/** Kinds whose templates say whether their jobs may run at the same time; a sliced job and a plain one of a template wait for each other. A change needs a migration. */
export const serialisedTypes = ['job', 'workflow_job'] as const

/** Whether a job belongs to a template that allows one at a time. */
export function isSerialised<Job extends Serialised>(job: Job): job is Job & { unifiedJobTemplateId: number } {
  const { type, unifiedJobTemplateId, allowSimultaneous } = job
  return !allowSimultaneous && unifiedJobTemplateId !== null && (serialisedTypes as readonly string[]).includes(type)
}

/** What says of a job whether it may run beside others of its template. */
export type Serialised = Pick<typeof unifiedJobs.$inferSelect, 'type' | 'unifiedJobTemplateId' | 'allowSimultaneous'>

/**
 * Which rows of `unified_jobs` are serialised jobs that have not ended. Of a row, or, as in the definition of an index, without saying of which; a change needs a migration.
 */
export function oneAtATime(job?: SQL): SQL {
  const row = job ? sql`${job}.` : sql``
  return sql`NOT ${row}allow_simultaneous AND ${row}unified_job_template_id IS NOT NULL AND ${row}type IN (${quoted(serialisedTypes)})
    AND ${row}status IN (${quoted(activeStatuses)})`
}

const quoted = (words: readonly string[]): SQL => sql.raw(words.map((word) => `'${word}'`).join(', '))

/**
 * The jobs that a job must wait for, of which the oldest counts: one of its template that has started, else an older one that waits as well; a query of id and type. A few rows, each found by the index of
 * such jobs, however many wait. `job` names a row with the columns id and unified_job_template_id, which is of such a template.
 */
export function blockers(job: SQL): SQL {
  const template = sql`${job}.unified_job_template_id`
  const others = sql`other.id <> ${job}.id`
  const started = (['running', 'waiting'] as const).map((status) => oldest(template, status, others))
  const waiting = (['pending', 'new'] as const).map(
    (status) => sql`SELECT id, type FROM (${oldest(template, status)}) AS first WHERE first.id < ${job}.id`,
  )
  return sql.join(
    [...started, ...waiting].map((each) => sql`(${each})`),
    sql` UNION ALL `,
  )
}

/**
 * The oldest job of a template that allows one at a time with this status; a query of id and type. Said so that the index of such jobs alone gives that order: by the ids of all jobs it would be looked
 * for among those that have ended.
 */
export function oldest(template: SQL, status: 'new' | 'pending' | 'waiting' | 'running', condition = sql`true`): SQL {
  const given = sql.raw(`'${status}'`)
  return sql`SELECT other.id, other.type FROM unified_jobs AS other
    WHERE ${oneAtATime(sql`other`)} AND other.unified_job_template_id = ${template} AND other.status >= ${given} AND other.status <= ${given}
      AND ${condition} ORDER BY other.status, other.id LIMIT 1`
}

/**
 * Where the start of a job stands in the outbox, of a row of `unified_jobs`: urgency, organization_id and line. It rests where the job's template allows one at a time and another one is before it. Not the starts
 * of sliced jobs, which need no place, so that they cost little while they wait; those of nodes come by another way.
 */
export function placeOfStart(job: SQL): SQL {
  const rests = sql`${job}.type = 'job' AND ${job}.workflow_job_id IS NULL AND ${oneAtATime(job)} AND EXISTS (${blockers(job)})`
  return sql`SELECT CASE WHEN turn.rests THEN ${sql.raw(String(restingUrgency))} ELSE ready.urgency END AS urgency,
      CASE WHEN turn.rests THEN 0 ELSE ready.organization_id END AS organization_id,
      CASE WHEN turn.rests THEN ${job}.unified_job_template_id::text ELSE ready.line END AS line
    FROM (SELECT ${rests} AS rests OFFSET 0) AS turn CROSS JOIN (${readyPlace(job)}) AS ready`
}

/** As placeOfStart, of a job that need not wait for its turn, or whose turn has come. */
export function readyPlace(job: SQL): SQL {
  return sql`SELECT ${job}.priority AS urgency, coalesce(${job}.organization_id, 0) AS organization_id, ${lineKey(job)} AS line`
}

/**
 * Statement that gives resting starts, the messages of `ready` (id), the place of those whose turn has come; returns their ids. They are as old as they are from now on, because what they waited for until now
 * was something else.
 */
export function sendResting(ready: SQL): SQL {
  return sql`UPDATE outbox AS message
    SET urgency = place.urgency, organization_id = place.organization_id, line = place.line, next_try_at = now(), created = now()
    FROM unified_jobs AS job CROSS JOIN LATERAL (${readyPlace(sql`job`)}) AS place
    WHERE message.id = ANY(ARRAY(SELECT id FROM ${ready})) AND job.id = message.subject_id RETURNING message.id`
}
