import { type SQL, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { preparedSql } from './prepared.ts'
import { hosts } from './schema/inventory.ts'
import { jobHostSummaries } from './schema/jobs.ts'

/** What happened on one host, as playbook_on_stats says. */
export interface HostSummary {
  /** Host of the inventory; null when the play made the host up. */
  hostId: number | null
  hostName: string
  changed: number
  dark: number
  failures: number
  ignored: number
  ok: number
  processed: number
  rescued: number
  skipped: number
}

const summaryColumns = {
  host_id: 'int',
  host_name: 'text',
  changed: 'int',
  dark: 'int',
  failures: 'int',
  ignored: 'int',
  ok: 'int',
  processed: 'int',
  rescued: 'int',
  skipped: 'int',
  failed: 'boolean',
} as const

/** All rows as one value, so that the statement is the same for any number of hosts. */
const hostSummaries = preparedSql<undefined, unknown>(
  'host_summaries',
  () => '',
  () => {
    const names = Object.keys(summaryColumns)
    const list = (items: string[]) => sql.raw(items.join(', '))
    return sql`
      INSERT INTO ${jobHostSummaries} (job_id, ${list(names)})
      SELECT ${sql.placeholder('jobId')}::int, ${list(names)}
      FROM json_to_recordset(${sql.placeholder('rows')}::text::json)
        AS row(${list(Object.entries(summaryColumns).map(([name, type]) => `${name} ${type}`))})
      ON CONFLICT (job_id, host_name) DO UPDATE
        SET ${list(names.filter((name) => name !== 'host_name').map((name) => `${name} = excluded.${name}`))}`
  },
)

/** Stores a job's host summaries. Storing them again replaces them. */
export async function storeHostSummaries(
  db: Database,
  jobId: number,
  summaries: readonly HostSummary[],
): Promise<void> {
  if (summaries.length === 0) return
  const rows = summaries.map(({ hostId, hostName, ...counts }) => ({
    ...{ host_id: hostId, host_name: hostName, ...counts },
    failed: counts.dark > 0 || counts.failures > 0,
  }))
  await hostSummaries(db, undefined).execute({ jobId, rows: JSON.stringify(rows) })
}

/** Makes a playbook job the last one of the hosts that it has summaries of: a statement. Hosts are locked in their order. */
export function lastJobOfHosts(jobId: number): SQL {
  return sql`UPDATE ${hosts} SET last_job_id = ${jobId}, last_job_host_summary_id = summary.id
    FROM (SELECT summary.id, summary.host_id FROM ${jobHostSummaries} AS summary JOIN ${hosts} AS host ON host.id = summary.host_id
      WHERE summary.job_id = ${jobId} ORDER BY host.id FOR NO KEY UPDATE OF host) AS summary
    WHERE ${hosts.id} = summary.host_id`
}

const raisedFlags = preparedSql<undefined, unknown>(
  'raised_flags',
  () => '',
  () => {
    const jobId = sql`${sql.placeholder('jobId')}::int`
    const above = (level: SQL) => sql`
      SELECT array_agg(DISTINCT parent_uuid) FILTER (WHERE uuid IN (SELECT unnest(failed) FROM ${level})) AS failed,
        array_agg(DISTINCT parent_uuid) FILTER (WHERE uuid IN (SELECT unnest(changed) FROM ${level})) AS changed
      FROM job_events
      WHERE job_id = ${jobId} AND parent_uuid <> '' AND uuid = ANY(ARRAY(SELECT unnest(failed || changed) FROM ${level}))`
    const raised = (flag: SQL) => sql`uuid IN (SELECT unnest(level.${flag}) FROM level)`
    return sql`
      WITH task AS (
        SELECT array_agg(DISTINCT parent_uuid) FILTER (WHERE failed) AS failed, array_agg(DISTINCT parent_uuid) FILTER (WHERE changed) AS changed
        FROM job_events WHERE job_id = ${jobId} AND (failed OR changed) AND parent_uuid <> ''),
      play AS (${above(sql`task`)}),
      playbook AS (${above(sql`play`)}),
      level AS (SELECT * FROM task UNION ALL SELECT * FROM play UNION ALL SELECT * FROM playbook),
      risen AS (
        UPDATE job_events SET failed = failed OR ${raised(sql`failed`)}, changed = changed OR ${raised(sql`changed`)}, modified = now()
        WHERE job_id = ${jobId} AND uuid = ANY(ARRAY(SELECT unnest(failed || changed) FROM level))
          AND ((NOT failed AND ${raised(sql`failed`)}) OR (NOT changed AND ${raised(sql`changed`)}))
        RETURNING uuid, parent_uuid)
      SELECT FROM risen WHERE parent_uuid <> '' AND uuid IN (SELECT unnest(failed || changed) FROM playbook)`
  },
)

/**
 * Marks the plays and tasks above failed or changed events as failed or changed too, up to the playbook, in one statement. Idempotent. Goes
 * level by level with the uuids at hand, as arrays: a recursive query over events just stored is planned without statistics, and badly.
 */
export async function propagateEventFlags(db: Database, jobId: number): Promise<void> {
  for (;;) {
    const { rows } = await raisedFlags(db, undefined).execute({ jobId })
    // Only where there is more above what is mostly the playbook.
    if (rows.length === 0) return
  }
}
