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
 * Marks the plays and tasks above failed or changed events as failed or changed too, up to the playbook. Idempotent. Goes
 * level by level with the uuids at hand: a recursive query over events just stored is planned without statistics, and badly.
 */
export async function propagateEventFlags(db: Database, jobId: number): Promise<void> {
  for (const flag of [sql.raw('failed'), sql.raw('changed')]) {
    const flagged = await db.execute<{ parent_uuid: string }>(sql`
      SELECT DISTINCT parent_uuid FROM job_events WHERE job_id = ${jobId} AND ${flag} AND parent_uuid <> ''`)
    let parents = flagged.rows.map((row) => row.parent_uuid)
    while (parents.length > 0) {
      const risen = await db.execute<{ parent_uuid: string }>(sql`
        UPDATE job_events SET ${flag} = true, modified = now()
        WHERE job_id = ${jobId} AND uuid = ANY(${sql.param(parents)}::text[]) AND NOT ${flag} RETURNING parent_uuid`)
      parents = [...new Set(risen.rows.map((row) => row.parent_uuid))].filter(Boolean)
    }
  }
}
