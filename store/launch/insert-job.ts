import { getTableColumns, type SQL, sql } from 'drizzle-orm'
import { channels } from '../channel.ts'
import type { Database } from '../database.ts'
import { parentTable } from '../job-parent.ts'
import { announce } from '../notifications/announce.ts'
import { unifiedJobCredentials, unifiedJobs } from '../schema/jobs.ts'
import { unifiedJobLabels } from '../schema/labels.ts'
import { outbox } from '../schema/runtime.ts'

type JobRow = typeof unifiedJobs.$inferSelect

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
  tx: Database,
  values: Omit<typeof unifiedJobs.$inferInsert, 'status'>,
  credentialIds: readonly number[],
  labelIds: readonly number[] = [],
): Promise<JobRow> {
  const given = { ...values, status: 'pending' as const }
  const used = columns.filter(({ key }) => given[key as keyof typeof given] !== undefined)
  const names = used.map(({ name }) => sql.identifier(name))
  const params = used.map(({ key, column }) => sql.param(given[key as keyof typeof given], column))
  const { rows } = await tx.execute<Record<string, unknown>>(sql`
    WITH job AS (INSERT INTO ${unifiedJobs} (${sql.join(names, sql`, `)}) VALUES (${sql.join(params, sql`, `)}) RETURNING *)
    ${attachedTo(credentialIds)}${labelledWith(labelIds)}${shownBy(values)}${values.workflowJobId ? sql`` : startMessage}
    SELECT job.*, pg_notify(${channels.outbox}, '') FROM job`)
  const [row] = rows
  if (!row) throw new Error('the job was not inserted')
  const job = Object.fromEntries(
    columns.map(({ key, column, name }) => [key, row[name] === null ? null : column.mapFromDriverValue(row[name])]),
  ) as JobRow
  // Of new jobs only approvals are news: somebody is to decide.
  if (job.type === 'workflow_approval') await announce(tx, job)
  return job
}

/** The workflow of a workflow job starts the jobs of its nodes itself, as its children. */
const startMessage = sql`, message AS (INSERT INTO ${outbox} (kind, subject_id, urgency, organization_id)
  SELECT 'start', id, priority, coalesce(organization_id, 0) FROM job)`

function attachedTo(credentialIds: readonly number[]): SQL {
  if (credentialIds.length === 0) return sql``
  return sql`, attached AS (INSERT INTO ${unifiedJobCredentials} (job_id, credential_id)
    SELECT job.id, unnest(${sql.param([...new Set(credentialIds)])}::int[]) FROM job)`
}

function labelledWith(labelIds: readonly number[]): SQL {
  if (labelIds.length === 0) return sql``
  return sql`, labelled AS (INSERT INTO ${unifiedJobLabels} (job_id, label_id)
    SELECT job.id, unnest(${sql.param([...new Set(labelIds)])}::int[]) FROM job)`
}

function shownBy({
  type,
  isSlicedJob = false,
  unifiedJobTemplateId,
}: Omit<typeof unifiedJobs.$inferInsert, 'status'>): SQL {
  const parent = parentTable({ type, isSlicedJob })
  if (!parent || !unifiedJobTemplateId) return sql``
  return sql`, parent AS (UPDATE ${parent} SET status = 'pending', current_job_id = job.id FROM job
    WHERE ${parent.id} = ${unifiedJobTemplateId})`
}
