import { getTableName, type SQL, sql } from 'drizzle-orm'
import { channels } from '../channel.ts'
import type { Database } from '../database.ts'
import { parentTable } from '../job-parent.ts'
import { announce } from '../notifications/announce.ts'
import { preparedSql } from '../prepared.ts'
import { unifiedJobCredentials, unifiedJobs } from '../schema/jobs.ts'
import { unifiedJobLabels } from '../schema/labels.ts'
import { outbox } from '../schema/runtime.ts'
import { rowOf, type SqlColumn, sqlColumns } from '../sql-columns.ts'
import { placeOfStart } from '../turn-line.ts'

type JobRow = typeof unifiedJobs.$inferSelect
type NewJob = Omit<typeof unifiedJobs.$inferInsert, 'status'>
type ParentTable = NonNullable<ReturnType<typeof parentTable>>

const columns = sqlColumns(unifiedJobs)

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
  const shape: Shape = {
    used: columns.filter(({ key }) => given[key] !== undefined),
    parent: values.unifiedJobTemplateId ? parentTable(values) : undefined,
    isChild: Boolean(values.workflowJobId),
    hasCredentials: credentialIds.length > 0,
    hasLabels: labelIds.length > 0,
  }
  const { rows } = await inserted(db, shape).execute({
    ...given,
    parentId: values.unifiedJobTemplateId,
    credentialIds: [...new Set(credentialIds)],
    labelIds: [...new Set(labelIds)],
  })
  const [row] = rows
  if (!row) throw new Error('the job was not inserted')
  const job = rowOf<typeof unifiedJobs>(columns, row, given)
  // Of new jobs only approvals are news: somebody is to decide.
  if (job.type === 'workflow_approval') await announce(db, job)
  return job
}

/** By which the statement itself differs. */
interface Shape {
  /** The columns that are given. */
  used: readonly SqlColumn[]
  /** What it was made from, where that shows its last job. */
  parent: ParentTable | undefined
  /** It is of a workflow job's node. */
  isChild: boolean
  hasCredentials: boolean
  hasLabels: boolean
}

const inserted = preparedSql<Shape, Record<string, unknown>>(
  'insert_job',
  ({ used, parent, ...rest }) =>
    [...used.map(({ name }) => name), parent && getTableName(parent), ...Object.values(rest)].join(),
  ({ used, parent, isChild, hasCredentials, hasLabels }) => {
    const names = used.map(({ name }) => sql.identifier(name))
    const params = used.map(({ key, column }) => sql.param(sql.placeholder(key), column))
    const returned = columns
      .filter((each) => !used.includes(each) || !keptAsGiven.has(each.column.getSQLType()))
      .map(({ name }) => sql`job.${sql.identifier(name)}`)
    return sql`
      WITH job AS (INSERT INTO ${unifiedJobs} (${sql.join(names, sql`, `)}) VALUES (${sql.join(params, sql`, `)}) RETURNING *)
      ${hasCredentials ? attached : sql``}${hasLabels ? labelled : sql``}${parent ? shownBy(parent) : sql``}${isChild ? sql`` : startMessage}
      SELECT ${sql.join(returned, sql`, `)}, pg_notify(${channels.outbox}, '') FROM job`
  },
)

/** Types whose values a row has just as they were given, so that they need not be sent back. */
const keptAsGiven = new Set(['text', 'integer', 'boolean'])

/** The workflow of a workflow job starts the jobs of its nodes itself, as its children. */
const startMessage = sql`, message AS (INSERT INTO ${outbox} (kind, subject_id, urgency, organization_id, line)
  SELECT 'start', job.id, place.urgency, place.organization_id, place.line FROM job CROSS JOIN LATERAL (${placeOfStart(sql`job`)}) AS place)`

const attached = sql`, attached AS (INSERT INTO ${unifiedJobCredentials} (job_id, credential_id)
    SELECT job.id, unnest(${sql.placeholder('credentialIds')}::int[]) FROM job)`

const labelled = sql`, labelled AS (INSERT INTO ${unifiedJobLabels} (job_id, label_id)
    SELECT job.id, unnest(${sql.placeholder('labelIds')}::int[]) FROM job)`

function shownBy(parent: ParentTable): SQL {
  return sql`, parent AS (UPDATE ${parent} SET status = 'pending', current_job_id = job.id FROM job
    WHERE ${parent.id} = ${sql.placeholder('parentId')})`
}
