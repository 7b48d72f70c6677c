import { eq, getTableColumns, is, SQL, sql, type WithSubquery } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import { countsAsFailed, isFinal, type JobStatus } from '../model/job.ts'
import { channels } from './channel.ts'
import type { Database } from './database.ts'
import { type ParentFacts, parentUpdate } from './job-parent.ts'
import { type AnnouncedFacts, isAnnounced } from './notifications/announce.ts'
import { lastJobOfHosts } from './outcome.ts'
import { preparedVariants } from './prepared.ts'
import { unifiedJobs } from './schema/jobs.ts'

/** The columns of a job by which rows beside it are found and written. */
export type Facts = ParentFacts & AnnouncedFacts

/** What AWX derives for a job's own columns from a change of its status, or from its having the same one still. */
export function derivedColumns(from: JobStatus, to: JobStatus) {
  const leftPending = from === 'pending' && to !== 'pending'
  return {
    status: to,
    failed: countsAsFailed(to),
    modified: sql`now()`,
    ...(leftPending ? { waitingReason: '', jobExplanation: '' } : {}),
    ...(to === 'running' ? { started: sql`coalesce(${unifiedJobs.started}, now())` } : {}),
    ...(to === 'canceled' ? { canceledOn: sql`coalesce(${unifiedJobs.canceledOn}, now())` } : {}),
    ...(isFinal(to)
      ? {
          finished: sql`coalesce(${unifiedJobs.finished}, now())`,
          elapsed: sql`coalesce(round(extract(epoch FROM now() - ${unifiedJobs.started})::numeric, 3), 0)`,
          launchSecrets: null,
        }
      : {}),
  }
}

/** A write of a job's status. */
interface Shape {
  /** The job as it is then. */
  after: Facts
  /** What is written; values are given to the statement by their names, see `prefixed`. */
  columns: Record<string, unknown>
  /** The status is another one than before. */
  moves: boolean
}

/** Facts by which the statement itself differs; of the others it does only in whether they are null. */
const decisive = ['type', 'launchType', 'isSlicedJob', 'status', 'timedOut'] as const
const others: readonly Exclude<keyof Facts, (typeof decisive)[number] | 'retries'>[] = [
  'id',
  'unifiedJobTemplateId',
  'failed',
  'finished',
  'organizationId',
  'jobTemplateId',
  'projectId',
  'inventoryId',
  'inventorySourceId',
  'systemJobTemplateId',
  'workflowJobTemplateId',
  'workflowJobId',
]

/** Names of columns that are given as values: neither SQL nor null, which are part of the text. */
const givenColumns = (columns: Record<string, unknown>) =>
  Object.keys(columns).filter(
    (name) => columns[name] !== undefined && columns[name] !== null && !is(columns[name], SQL),
  )

/** The values of columns to be written, by their names in the statement: those of the same names beside them are facts. */
export function prefixed(columns: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(givenColumns(columns).map((name) => [`to_${name}`, columns[name]]))
}

/** Says all that decides the statement's text. SQL among the columns is the same for the same status and the same columns. */
function keyOf({ after, columns, moves }: Shape): string {
  return JSON.stringify([moves, keyOfFacts(after), Object.keys(columns), givenColumns(columns)])
}

/** Says all of a job's facts that decides the text of a statement made from `namedFacts`. */
export function keyOfFacts(facts: Facts): string {
  const nulls = others.filter((name) => facts[name] === null)
  return JSON.stringify([facts.retries.told !== undefined, decisive.map((name) => facts[name]), nulls])
}

/** The facts for a statement that is built once: what decides its text, and names for all else, to be given as values. */
export function namedFacts(facts: Facts): Facts {
  const names = others.filter((name) => facts[name] !== null).map((name) => [name, sql.placeholder(name)])
  return { ...facts, ...Object.fromEntries(names) }
}

/**
 * The statement that writes a job's status: the job, what it was made from, its hosts, the notification, and whether anybody wants to be notified. Jobs by
 * the hundred share a template and hosts, so those are to be locked as shortly before the commit as can be.
 */
export const transition = preparedVariants(
  'transition',
  keyOf,
  (db: Database, { after, columns, moves }: Shape, name) => {
    const given = namedFacts(after)
    const set = { ...columns }
    for (const column of givenColumns(columns)) set[column] = sql.placeholder(`to_${column}`)
    return db
      .with(...(moves ? updatesBeside(db, given) : []))
      .update(unifiedJobs)
      .set(set)
      .where(eq(unifiedJobs.id, sql.placeholder('id')))
      .returning({
        ...workedOut(columns),
        isAnnounced: moves ? isAnnounced(given) : sql<boolean>`false`,
        told: sql`pg_notify(${channels.jobs}, ${unifiedJobs.id}::text)`,
      })
      .prepare(name)
  },
)

/** Columns whose values only the server knows: all others of the job's hundred are known to who has locked it, and would be read and sent for nothing. */
function workedOut(columns: Record<string, unknown>): Record<string, AnyPgColumn> {
  const names = Object.keys(columns).filter((name) => is(columns[name], SQL))
  const all: Record<string, AnyPgColumn> = getTableColumns(unifiedJobs)
  return Object.fromEntries(names.flatMap((name) => (all[name] ? [[name, all[name]]] : [])))
}

/** The job as it is after the write, from what it was before, what was written and what the statement gave back of it. */
export function written<Job extends object>(before: Job, columns: Record<string, unknown>, row: object): Job {
  const given = Object.entries(columns).filter(([, value]) => value !== undefined && !is(value, SQL))
  return { ...before, ...Object.fromEntries(given), ...row }
}

/** Updates of other rows that go with a job's change of status, as parts of its statement. */
function updatesBeside(db: Database, after: Facts): WithSubquery[] {
  const parent = parentUpdate(after)
  const isPlay = after.type === 'job'
  return [
    ...(isPlay && isFinal(after.status) ? [db.$with('host', {}).as(lastJobOfHosts(after.id))] : []),
    ...(parent ? [db.$with('parent', {}).as(parent)] : []),
  ]
}
