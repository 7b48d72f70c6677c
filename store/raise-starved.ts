import { sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { enqueue } from './outbox.ts'

/** How jobs are kept from waiting for ever behind more urgent ones; tests have shorter times. */
export interface RaiseRule {
  /** A job that waited less than this is not starved. Also the time over which places are counted. */
  patienceSeconds: number
  /** One of so many places of a group goes to who has waited longest, where priorities alone would never give them one. */
  oneIn: number
}

/** One place in ten, after ten minutes. */
const raiseRule: RaiseRule = { patienceSeconds: 600, oneIn: 10 }

/**
 * Moves jobs to the head of their lines that have waited for long while jobs of a higher priority came later and were served: of each group those that have waited
 * longest, and no more than a tenth of the places that it gave meanwhile. Temporal serves a lower priority only when no higher one waits, so without this a job could wait
 * for ever. Any number of workers may look; one that looks a moment later finds what was done. Returns the jobs.
 */
export async function raiseStarved(db: Database, rule: RaiseRule = raiseRule): Promise<number[]> {
  const since = sql`now() - make_interval(secs => ${rule.patienceSeconds})`
  return await db.transaction(async (tx) => {
    const { rows } = await tx.execute<{ id: number }>(sql`
      WITH given AS MATERIALIZED (
        SELECT attempt.instance_group_id AS group_id, job.priority, max(job.waiting_since) AS newest, count(*) AS places
        FROM attempts attempt JOIN unified_jobs job ON job.id = attempt.job_id
        WHERE (attempt.released_at IS NULL OR attempt.released_at > ${since}) AND attempt.pod_created_at > ${since}
        GROUP BY attempt.instance_group_id, job.priority),
      raised AS (
        SELECT (eligible_groups->>0)::int AS group_id, count(*) AS jobs FROM unified_jobs
        WHERE raised_at > ${since} GROUP BY 1),
      budget AS (
        SELECT given.group_id, ceil(sum(given.places) / ${rule.oneIn}::numeric) - coalesce(max(raised.jobs), 0) AS jobs
        FROM given LEFT JOIN raised ON raised.group_id = given.group_id GROUP BY given.group_id),
      starved AS (
        SELECT job.id, budget.jobs,
          row_number() OVER (PARTITION BY budget.group_id ORDER BY job.waiting_since, job.id) AS place
        FROM unified_jobs job JOIN budget ON budget.group_id = (job.eligible_groups->>0)::int
        WHERE budget.jobs > 0 AND job.status = 'pending' AND job.waiting_reason = '' AND job.waiting_since < ${since}
          AND job.priority > 1 AND job.raised_at IS NULL AND job.run_id IS NOT NULL
          AND EXISTS (SELECT FROM given WHERE given.group_id = budget.group_id AND given.priority < job.priority
            AND given.newest > job.waiting_since))
      UPDATE unified_jobs SET raised_at = now()
      WHERE id IN (SELECT id FROM starved WHERE place <= jobs) AND raised_at IS NULL AND status = 'pending'
      RETURNING id`)
    for (const { id } of rows) await enqueue(tx, 'raise', id)
    return rows.map(({ id }) => id).sort((one, other) => one - other)
  })
}
