import { getTableColumns, getTableName, type Query, type SQL, sql } from 'drizzle-orm'
import { PgDialect, type PreparedQueryConfig } from 'drizzle-orm/pg-core'
import { channels } from '../channel.ts'
import type { Database } from '../database.ts'
import { parentTable } from '../job-parent.ts'
import { lineKey } from '../line-key.ts'
import { announce } from '../notifications/announce.ts'
import { unifiedJobCredentials, unifiedJobs } from '../schema/jobs.ts'
import { unifiedJobLabels } from '../schema/labels.ts'
import { outbox } from '../schema/runtime.ts'

type JobRow = typeof unifiedJobs.$inferSelect
type NewJob = Omit<typeof unifiedJobs.$inferInsert, 'status'>

const columns = Object.entries(getTableColumns(unifiedJobs)).map(([key, column]) => ({
  key,
  column,
  name: key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
}))

/**
 * Inserts a pending job, its credentials and labels, the message that starts it, and shows it at what it was made from: in one statement, because launches come
 * in bursts and every round trip to the database is time that a caller waits. What it does is that of `followUp` and `enqueue` for a new job.
 */
export async function insertJob(
  db: Database,
  values: NewJob,
  credentialIds: readonly number[],
  labelIds: readonly number[] = [],
): Promise<JobRow> {
  const given: Record<string, unknown> = { ...values, status: 'pending' }
  const statement = statementFor(given, credentialIds.length > 0, labelIds.length > 0)
  const { rows } = await db._.session
    .prepareQuery<PreparedQueryConfig & { execute: { rows: Record<string, unknown>[] } }>(
      statement.query,
      undefined,
      statement.name,
      false,
    )
    .execute({
      ...given,
      parentId: values.unifiedJobTemplateId,
      credentialIds: [...new Set(credentialIds)],
      labelIds: [...new Set(labelIds)],
    })
  const [row] = rows
  if (!row) throw new Error('the job was not inserted')
  const job = Object.fromEntries(
    columns.map(({ key, column, name }) => {
      const value = row[name]
      if (value === undefined) return [key, given[key]]
      return [key, value === null ? null : column.mapFromDriverValue(value)]
    }),
  ) as unknown as JobRow
  // Of new jobs only approvals are news: somebody is to decide.
  if (job.type === 'workflow_approval') await announce(db, job)
  return job
}

/** A statement with placeholders for the values of a job, and the name under which connections keep its plan. */
interface Statement {
  query: Query
  name: string
}

const dialect = new PgDialect({ casing: 'snake_case' })
const statements = new Map<string, Statement>()

/** Building the statement, and planning it, costs more than running it: both are done once for each set of columns that jobs are made of. */
function statementFor(given: Record<string, unknown>, hasCredentials: boolean, hasLabels: boolean): Statement {
  const used = columns.filter(({ key }) => given[key] !== undefined)
  const parent = given.unifiedJobTemplateId ? parentTable(given as Pick<JobRow, 'type' | 'isSlicedJob'>) : undefined
  const shape = [
    ...used.map(({ name }) => name),
    parent && getTableName(parent),
    given.workflowJobId ? 'child' : '',
    hasCredentials,
    hasLabels,
  ].join()
  const known = statements.get(shape)
  if (known) return known
  const names = used.map(({ name }) => sql.identifier(name))
  const params = used.map(({ key, column }) => sql.param(sql.placeholder(key), column))
  const returned = columns
    .filter(({ key, column }) => given[key] === undefined || !keptAsGiven.has(column.getSQLType()))
    .map(({ name }) => sql`job.${sql.identifier(name)}`)
  const query = dialect.sqlToQuery(sql`
    WITH job AS (INSERT INTO ${unifiedJobs} (${sql.join(names, sql`, `)}) VALUES (${sql.join(params, sql`, `)}) RETURNING *)
    ${hasCredentials ? attached : sql``}${hasLabels ? labelled : sql``}${parent ? shownBy(parent) : sql``}${given.workflowJobId ? sql`` : startMessage}
    SELECT ${sql.join(returned, sql`, `)}, pg_notify(${channels.outbox}, '') FROM job`)
  const statement = { query, name: `insert_job_${statements.size}` }
  statements.set(shape, statement)
  return statement
}

/** Types whose values a row has just as they were given, so that they need not be sent back. */
const keptAsGiven = new Set(['text', 'integer', 'boolean'])

/** The workflow of a workflow job starts the jobs of its nodes itself, as its children. */
const startMessage = sql`, message AS (INSERT INTO ${outbox} (kind, subject_id, urgency, organization_id, line)
  SELECT 'start', id, priority, coalesce(organization_id, 0), ${lineKey(sql`job`)} FROM job)`

const attached = sql`, attached AS (INSERT INTO ${unifiedJobCredentials} (job_id, credential_id)
    SELECT job.id, unnest(${sql.placeholder('credentialIds')}::int[]) FROM job)`

const labelled = sql`, labelled AS (INSERT INTO ${unifiedJobLabels} (job_id, label_id)
    SELECT job.id, unnest(${sql.placeholder('labelIds')}::int[]) FROM job)`

function shownBy(parent: NonNullable<ReturnType<typeof parentTable>>): SQL {
  return sql`, parent AS (UPDATE ${parent} SET status = 'pending', current_job_id = job.id FROM job
    WHERE ${parent.id} = ${sql.placeholder('parentId')})`
}
