import { type SQL, sql } from 'drizzle-orm'
import { camelCase } from './camel-case.ts'
import type { Database } from './database.ts'
import { hosts } from './schema/inventory.ts'
import { jobHostSummaries } from './schema/jobs.ts'
import { inTransaction } from './transaction.ts'

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

/** Rows per statement: well below the 65,535 values that a statement may have. */
const rowsPerStatement = 1_000

/** Stores a job's host summaries. Storing them again replaces them. */
export async function storeHostSummaries(
  db: Database,
  jobId: number,
  summaries: readonly HostSummary[],
): Promise<void> {
  await inTransaction(db, async (tx) => {
    for (let start = 0; start < summaries.length; start += rowsPerStatement) {
      const rows = summaries
        .slice(start, start + rowsPerStatement)
        .map((summary) => ({ ...summary, jobId, failed: summary.dark > 0 || summary.failures > 0 }))
      await tx
        .insert(jobHostSummaries)
        .values(rows)
        .onConflictDoUpdate({
          target: [jobHostSummaries.jobId, jobHostSummaries.hostName],
          set: Object.fromEntries(
            [
              'host_id',
              'changed',
              'dark',
              'failures',
              'ignored',
              'ok',
              'processed',
              'rescued',
              'skipped',
              'failed',
            ].map((column) => [camelCase(column), sql.raw(`excluded.${column}`)]),
          ),
        })
    }
  })
}

/** Makes a playbook job the last one of the hosts that it has summaries of: a statement. Hosts are locked in their order. */
export function lastJobOfHosts(jobId: number): SQL {
  return sql`UPDATE ${hosts} SET last_job_id = ${jobId}, last_job_host_summary_id = summary.id
    FROM (SELECT summary.id, summary.host_id FROM ${jobHostSummaries} AS summary JOIN ${hosts} AS host ON host.id = summary.host_id
      WHERE summary.job_id = ${jobId} ORDER BY host.id FOR NO KEY UPDATE OF host) AS summary
    WHERE ${hosts.id} = summary.host_id`
}

/**
 * Marks the plays and tasks above failed or changed events as failed or changed too, up to the playbook, in one statement. Idempotent. Goes
 * level by level with the uuids at hand, as arrays: a recursive query over events just stored is planned without statistics, and badly.
 */
export async function propagateEventFlags(db: Database, jobId: number): Promise<void> {
  const above = (level: SQL) => sql`
    SELECT array_agg(DISTINCT parent_uuid) FILTER (WHERE uuid IN (SELECT unnest(failed) FROM ${level})) AS failed,
      array_agg(DISTINCT parent_uuid) FILTER (WHERE uuid IN (SELECT unnest(changed) FROM ${level})) AS changed
    FROM job_events
    WHERE job_id = ${jobId} AND parent_uuid <> '' AND uuid = ANY(ARRAY(SELECT unnest(failed || changed) FROM ${level}))`
  const raised = (flag: SQL) => sql`uuid IN (SELECT unnest(level.${flag}) FROM level)`
  for (;;) {
    const { rows } = await db.execute(sql`
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
      SELECT FROM risen WHERE parent_uuid <> '' AND uuid IN (SELECT unnest(failed || changed) FROM playbook)`)
    // Only where there is more above what is mostly the playbook.
    if (rows.length === 0) return
  }
}
