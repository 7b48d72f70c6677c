import { type SQL, sql } from 'drizzle-orm'
import type { Line } from '../model/place-in-line.ts'
import type { Database } from './database.ts'
import { idList } from './group-load.ts'
import { restingUrgency } from './turn-line.ts'

interface Share {
  group_id: number
  priority: number
  /** 0 for none. */
  organization_id: number
  weight: number
  waiting: number
  /** How many of them stand in line in Temporal; the starts of the others rest in the outbox. */
  standing: number
  /** Of the jobs that were asked for: id, and place among those of its priority and organization. */
  asked: [id: number, own: number][] | null
}

/**
 * Where waiting jobs stand in the lines of their groups: by job, then by group. A job stands in the line of every group that it may run in, once it is
 * prepared and waits for nothing else, or while its start rests in the outbox because that line is long.
 */
export async function linesOf(
  db: Database,
  jobIds: readonly number[],
  groupIds: readonly number[],
): Promise<Map<number, Map<number, Line>>> {
  const lines = new Map<number, Map<number, Line>>()
  if (jobIds.length === 0 || groupIds.length === 0) return lines
  const { rows } = await db.execute<Share & Record<string, unknown>>(sharesQuery(jobIds, groupIds))
  for (const share of rows) {
    for (const [id, own] of share.asked ?? []) {
      const ofJob = lines.get(id) ?? new Map<number, Line>()
      lines.set(id, ofJob.set(share.group_id, lineOf(share, own, rows)))
    }
  }
  return lines
}

/**
 * Who waits for these groups, by group, priority and organization, and the places of the jobs that are asked for. One scan and one sort of those that wait, however many are asked for:
 * a page of 200 in a line of 100,000 would otherwise be 20 million comparisons.
 */
export function sharesQuery(jobIds: readonly number[], groupIds: readonly number[]): SQL {
  return sql`
    WITH line AS (
      SELECT job.id, job.priority, coalesce(job.organization_id, 0) AS organization_id, eligible.value::int AS group_id,
        row_number() OVER (PARTITION BY eligible.value::int, job.priority, coalesce(job.organization_id, 0)
          ORDER BY job.waiting_since NULLS LAST, job.id)::int AS own,
        job.waiting_since IS NOT NULL AS stands
      FROM unified_jobs job LEFT JOIN outbox AS start
          ON start.subject_id = job.id AND start.kind = 'start' AND start.line <> '' AND start.urgency <> ${restingUrgency}
        CROSS JOIN LATERAL json_array_elements_text(job.eligible_groups) AS eligible(value)
      WHERE job.status = 'pending' AND job.waiting_reason = '' AND (job.waiting_since IS NOT NULL OR start.id IS NOT NULL)
        AND eligible.value::int = ANY(${idList(groupIds)})),
    shares AS (
      SELECT group_id, priority, organization_id, count(*)::int AS waiting, count(*) FILTER (WHERE stands)::int AS standing,
        json_agg(json_build_array(id, own)) FILTER (WHERE id = ANY(${idList(jobIds)})) AS asked
      FROM line GROUP BY group_id, priority, organization_id)
    SELECT shares.*, coalesce(organization.fair_share_weight, 1) AS weight
    FROM shares LEFT JOIN organizations organization ON organization.id = shares.organization_id`
}

function lineOf(share: Share, own: number, all: readonly Share[]): Line {
  const others = all.filter((other) => other !== share && other.group_id === share.group_id)
  const before = others.filter(({ priority }) => priority < share.priority)
  return {
    before: before.reduce((sum, { waiting }) => sum + waiting, 0),
    standing: [share, ...before].reduce((sum, { standing }) => sum + standing, 0),
    own,
    weight: share.weight,
    others: others
      .filter(({ priority }) => priority === share.priority)
      .map(({ weight, waiting }) => ({ weight, waiting })),
  }
}

/** A start that is not sent to Temporal yet. */
export interface UnsentStart {
  /** The last failure to send it; '' for none. */
  lastError: string
  /** About where it stands among the starts to be sent, 1 for the next one: organizations take turns, which is not reckoned. */
  place: number
  /** It joins a line, in which it may rest for long (store/line-key.ts). */
  inLine: boolean
}

/** Starts that are not sent to Temporal yet, by their job, of these jobs; those that rest until it is their turn as if they were next. One pass over the outbox, and none where nothing is unsent. */
export async function unsentStarts(db: Database, jobIds: readonly number[]): Promise<Map<number, UnsentStart>> {
  if (jobIds.length === 0) return new Map()
  const { rows } = await db.execute<{ id: number; error: string; place: number; in_line: boolean }>(sql`
    WITH mine AS MATERIALIZED (
      SELECT id, subject_id, urgency, last_error, line <> '' AND urgency <> ${restingUrgency} AS in_line FROM outbox WHERE kind = 'start' AND subject_id = ANY(${idList(jobIds)})),
    line AS (
      SELECT id, row_number() OVER (ORDER BY urgency, id)::int AS place FROM outbox
      WHERE kind = 'start' AND urgency <> ${restingUrgency} AND EXISTS (SELECT FROM mine))
    SELECT mine.subject_id AS id, mine.last_error AS error, mine.in_line, coalesce(line.place, 1) AS place
    FROM mine LEFT JOIN line ON line.id = mine.id`)
  return new Map(rows.map(({ id, error, place, in_line }) => [id, { lastError: error, place, inLine: in_line }]))
}
