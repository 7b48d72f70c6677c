import { type SQL, sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import { groupsKey, lineKey, standing } from './line-key.ts'
import type { OutboxRow } from './outbox.ts'
import { preparedSql } from './prepared.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { outbox } from './schema/runtime.ts'
import { rowOf, sqlColumns } from './sql-columns.ts'
import { restingUrgency } from './turn-line.ts'

/** How long a claimed row stays invisible to others; whoever claimed it and died delays it by no more than this. */
const claimedFor = sql`interval '10 seconds'`

/** One of so many messages of a claim is the oldest there is, so that none waits for ever behind more urgent ones. */
const oldestOneIn = 8

/** Messages that are to be sent: not the starts that rest until it is their job's turn, which lie behind all others. */
const due = sql.raw(`urgency < ${restingUrgency}`)

/** A line of starts: of which priority and organization, and its key (store/line-key.ts). */
export interface StartLine {
  urgency: number
  organizationId: number
  line: string
}

/** A line that was found full. */
export interface KnownLine extends StartLine {
  /** How many starts it may have now, whatever its room, null for any number; one with none needs no look. */
  allowance: number | null
}

/** What a claim found out about lines. */
export interface FoundLines {
  /** Lines that are full. */
  full: readonly StartLine[]
  /** Of those that were known: lines of which no start rests any more, or whose groups are gone, so that nothing is to be saved of them. */
  over: readonly StartLine[]
  /** Of the starts that were sent: those that are still on their way into their line. */
  onTheWay: readonly number[]
}

/** Who keeps lines of starts short: what a claim must know of them, and is told what it found. */
export interface Lines {
  /** How many jobs of a line may stand open in Temporal. */
  depth: number
  /** Lines that were found full a while ago. */
  known(): readonly KnownLine[]
  /** Jobs whose starts were sent a moment ago: one that is not in its line yet counts as if it were. */
  sent(): readonly number[]
  /** Told by each claim. */
  found(found: FoundLines): void
}

/** How a claim is made; all have defaults. */
export interface ClaimOptions {
  /** For tests; else the database's clock decides. */
  now?: Date
  /** Default: any. `false` where starts are held back for now. */
  starts?: boolean
  /** Default: no line is ever too long. */
  lines?: Lines
}

/**
 * Claims due rows for the caller to send, the most urgent first; of starts of one priority each organization's by its weight, oldest first. One in eight is the oldest of all. A line that is
 * long enough in Temporal gives no more starts: they rest, in their order. Other senders pass claimed rows over; a claim that is neither reported as sent nor as failed ends by itself, so a crash
 * sends again.
 */
export async function claimOutbox(
  db: Database,
  limit: number,
  { now, starts = true, lines }: ClaimOptions = {},
): Promise<OutboxRow[]> {
  const depth = lines?.depth ?? null
  const shape = { limit, depth, starts, timed: now !== undefined }
  const { rows } = await claim(db, shape).execute({
    now: now?.toISOString(),
    sent: `{${lines?.sent().join() ?? ''}}`,
    known: JSON.stringify(lines?.known() ?? []),
  })
  const [found] = rows
  lines?.found({ full: found?.full_lines ?? [], over: found?.over_lines ?? [], onTheWay: found?.on_the_way ?? [] })
  return rows.flatMap((row) => (row.id === null ? [] : rowOf<typeof outbox>(columns, row)))
}

/** By which the statement itself differs. */
interface Shape {
  limit: number
  depth: number | null
  starts: boolean
  /** Whether `now` is given. */
  timed: boolean
}

const columns = sqlColumns(outbox)

const claim = preparedSql<Shape, ClaimedRow>(
  'claim_outbox',
  (shape) => Object.values(shape).join(),
  (shape) => claimStatement(shape),
)

/** The statement of a claim; its placeholders are `now`, `sent` (an array's text) and `known` (JSON). */
export function claimStatement({ limit: most, depth, starts, timed }: Shape): SQL {
  const limit = sql.raw(String(most))
  const clock = timed ? sql`${sql.placeholder('now')}::timestamptz` : sql`now()`
  const allowed = starts ? sql`true` : sql`urgency NOT BETWEEN 1 AND 5`
  const oldest = sql.raw(String(Math.floor(most / oldestOneIn)))
  const room = depth === null ? sql`NULL::bigint` : roomIn(sql.raw(String(depth)))
  // The lines (one for each urgency, organization and set of groups) are found by skipping through the index, and only the head of each is read: a claim
  // costs the same however many messages wait. Organizations take turns: the n-th message of one with weight w counts n/w.
  return sql`
    WITH RECURSIVE line AS (
      (SELECT urgency, organization_id, line AS key FROM ${outbox} WHERE ${due} ORDER BY urgency, organization_id, line LIMIT 1)
      UNION ALL
      SELECT next.urgency, next.organization_id, next.line FROM line CROSS JOIN LATERAL (
        SELECT urgency, organization_id, line FROM ${outbox} AS message
        WHERE (message.urgency, message.organization_id, message.line) > (line.urgency, line.organization_id, line.key) AND ${due}
        ORDER BY urgency, organization_id, line LIMIT 1) AS next),
    on_the_way AS MATERIALIZED (
      SELECT id, priority, coalesce(organization_id, 0) AS organization_id, ${lineKey(sql`job`)} AS key FROM ${unifiedJobs} AS job
      WHERE id = ANY(${sql.placeholder('sent')}::int[]) AND status = 'pending' AND waiting_since IS NULL AND waiting_reason = ''),
    known AS MATERIALIZED (
      SELECT urgency, "organizationId" AS organization_id, line AS key, allowance
      FROM json_to_recordset(${sql.placeholder('known')}::json) AS given(urgency int, "organizationId" int, line text, allowance bigint)),
    counted AS MATERIALIZED (
      SELECT line.*, known.allowance, CASE WHEN key <> '' THEN ${room} END AS room
      FROM line LEFT JOIN known USING (urgency, organization_id, key)
      WHERE ${allowed} AND coalesce(known.allowance, 1) > 0),
    open AS (SELECT urgency, organization_id, key, least(${limit}::bigint, room, allowance) AS room FROM counted),
    head AS (
      SELECT message.id, open.urgency,
        row_number() OVER (PARTITION BY open.urgency, open.organization_id ORDER BY message.id)
          / coalesce((SELECT fair_share_weight FROM organizations WHERE id = open.organization_id), 1) AS turn
      FROM open CROSS JOIN LATERAL (
        SELECT id, row_number() OVER (ORDER BY id) AS place FROM (
          SELECT id FROM ${outbox} AS message WHERE ${ofLine(sql`open`)} AND open.room > 0 AND next_try_at <= ${clock}
          ORDER BY line, id LIMIT ${limit} FOR UPDATE SKIP LOCKED) AS free) AS message
      WHERE message.place <= open.room),
    oldest AS (SELECT id FROM head ORDER BY id LIMIT ${oldest}),
    urgent AS (
      SELECT id FROM head WHERE id NOT IN (SELECT id FROM oldest)
      ORDER BY urgency, turn, id LIMIT ${limit} - (SELECT count(*) FROM oldest)),
    claimed AS (
      UPDATE ${outbox} SET next_try_at = ${clock} + ${claimedFor}, tries = tries + 1
      WHERE id = ANY(ARRAY(SELECT id FROM urgent UNION ALL SELECT id FROM oldest)) RETURNING *)
    SELECT claimed.*, found.* FROM (SELECT
        (SELECT json_agg(${startLine}) FROM counted WHERE room <= 0) AS full_lines,
        (SELECT json_agg(${startLine}) FROM known WHERE NOT EXISTS (SELECT FROM line WHERE ${sameLine(sql`line`)})
          OR EXISTS (SELECT FROM counted WHERE ${sameLine(sql`counted`)} AND room IS NULL)) AS over_lines,
        (SELECT json_agg(id) FROM on_the_way) AS on_the_way) AS found
      LEFT JOIN claimed ON true
    ORDER BY claimed.urgency, claimed.id`
}

/** A claimed row by the names of its columns, null where nothing was claimed; beside each what was found of lines. */
type ClaimedRow = Record<string, unknown> & {
  full_lines: StartLine[] | null
  over_lines: StartLine[] | null
  on_the_way: number[] | null
}

/** A StartLine of the columns of a row. */
const startLine = sql`json_build_object('urgency', urgency, 'organizationId', organization_id, 'line', key)`

/** Rows of `name` that are of the line of a row of `known`. */
function sameLine(name: SQL): SQL {
  return sql`(${name}.urgency, ${name}.organization_id, ${name}.key) = (known.urgency, known.organization_id, known.key)`
}

/**
 * Rows of `message` that are of a line; to be ordered by `line, id`. Said so that the index of lines alone gives that order: by the ids of all messages the head of a short line would be
 * looked for among those of a deep one.
 */
function ofLine(line: SQL): SQL {
  return sql`message.urgency = ${line}.urgency AND message.organization_id = ${line}.organization_id
    AND message.line >= ${line}.key AND message.line <= ${line}.key`
}

/**
 * How many more starts a line may have; null: any number. Those that stand in it are counted by an index and no further than it matters. A line of which no group is left has no end: each of
 * its jobs is told so when it begins.
 */
function roomIn(depth: SQL): SQL {
  return sql`(SELECT CASE WHEN room <= 0 AND NOT EXISTS (
      SELECT FROM ${outbox} AS message JOIN ${unifiedJobs} AS job ON job.id = message.subject_id
        CROSS JOIN LATERAL json_array_elements_text(job.eligible_groups) AS eligible(value)
        JOIN instance_groups AS instance_group ON instance_group.id = eligible.value::int AND instance_group.is_container_group
      WHERE message.id = (SELECT id FROM ${outbox} AS message WHERE ${ofLine(sql`line`)} ORDER BY line, id LIMIT 1))
    THEN NULL ELSE room END
    FROM (SELECT ${depth} - (SELECT count(*) FROM (
        SELECT FROM ${unifiedJobs} AS job WHERE ${standing(sql`job`)} AND job.priority = line.urgency
          AND coalesce(job.organization_id, 0) = line.organization_id AND ${groupsKey(sql`job`)} = line.key LIMIT ${depth}) AS stood)
      - (SELECT count(*) FROM on_the_way AS way WHERE (way.priority, way.organization_id, way.key) = (line.urgency, line.organization_id, line.key)) AS room
      OFFSET 0) AS counted)`
}
