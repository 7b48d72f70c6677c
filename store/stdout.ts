import { sql } from 'drizzle-orm'
import type { Database } from './database.ts'

const rowsPerPage = 2_000
/** A page ends after the event that passes this size, so a page holds at most this and one event. */
const bytesPerPage = 2 * 1024 * 1024
const lineEnd = Buffer.from('\r\n')
const newline = 0x0a

/** Lines to read, counted from 0, half open; absent: from the beginning, to the end. */
export interface LineRange {
  startLine?: number
  endLine?: number
}

/**
 * Reads a job's output as the runner wrote it: bytes, lines end with `\r\n`, colours kept. Yields pieces of at most a few megabytes (or one
 * event) and holds no more in memory. What is appended while it reads is read too, if it comes before the last page.
 */
export async function* readStdout(db: Database, jobId: number, range: LineRange = {}): AsyncGenerator<Buffer> {
  const startLine = Math.max(0, range.startLine ?? 0)
  const endLine = range.endLine ?? Number.MAX_SAFE_INTEGER
  let after: Position = { startLine: -1, counter: -1 }
  if (startLine > 0) after = await positionBefore(db, jobId, startLine)
  for (;;) {
    const page = await readPage(db, jobId, after, endLine)
    const last = page.at(-1)
    if (!last) return
    const pieces = page.map((row) => cut(row, startLine, endLine))
    yield Buffer.concat(pieces)
    after = { startLine: last.start_line, counter: last.counter }
  }
}

/** How much output a job has stored, in lines and in bytes of readStdout. */
export async function stdoutSize(db: Database, jobId: number): Promise<{ lines: number; bytes: number }> {
  const answer = await db.execute<{ lines: number; bytes: number | string }>(sql`
    SELECT coalesce(max(end_line), 0)::int AS lines,
      coalesce(sum(coalesce(octet_length(stdout_raw), octet_length(stdout)) + CASE WHEN end_line > start_line THEN 2 ELSE 0 END), 0)::float8 AS bytes
    FROM job_events WHERE job_id = ${jobId}`)
  const [size] = answer.rows
  return { lines: size?.lines ?? 0, bytes: Number(size?.bytes ?? 0) }
}

interface Position {
  startLine: number
  counter: number
}

interface OutputRow extends Record<string, unknown> {
  counter: number
  start_line: number
  end_line: number
  stdout: string
  stdout_raw: Uint8Array | null
}

/** The event before the one that holds the line: pages are read after a position. */
async function positionBefore(db: Database, jobId: number, line: number): Promise<Position> {
  const answer = await db.execute<{ start_line: number; counter: number }>(sql`
    SELECT start_line, counter FROM job_events WHERE job_id = ${jobId} AND start_line < ${line} AND end_line <= ${line}
    ORDER BY start_line DESC, counter DESC LIMIT 1`)
  const [row] = answer.rows
  return row ? { startLine: row.start_line, counter: row.counter } : { startLine: -1, counter: -1 }
}

async function readPage(db: Database, jobId: number, after: Position, endLine: number): Promise<OutputRow[]> {
  // octet_length does not fetch large values, so the running total costs nothing for rows that the page leaves out.
  const answer = await db.execute<OutputRow>(sql`
    SELECT counter, start_line, end_line, CASE WHEN stdout_raw IS NULL THEN stdout ELSE '' END AS stdout, stdout_raw FROM (
      SELECT counter, start_line, end_line, stdout, stdout_raw,
        sum(octet_length(stdout) + coalesce(octet_length(stdout_raw), 0)) OVER (ORDER BY start_line, counter)
          - octet_length(stdout) - coalesce(octet_length(stdout_raw), 0) AS bytes_before
      FROM (
        SELECT counter, start_line, end_line, stdout, stdout_raw FROM job_events
        WHERE job_id = ${jobId} AND (start_line, counter) > (${after.startLine}, ${after.counter})
          AND start_line < ${Math.min(endLine, 2 ** 31 - 1)} AND (end_line > start_line OR stdout <> '')
        ORDER BY start_line, counter LIMIT ${rowsPerPage}
      ) AS next
    ) AS page
    WHERE bytes_before < ${bytesPerPage} ORDER BY start_line, counter`)
  return answer.rows
}

/** An event's bytes, without the lines that lie outside of the range. */
function cut(row: OutputRow, startLine: number, endLine: number): Buffer {
  const text = row.stdout_raw ? Buffer.from(row.stdout_raw) : Buffer.from(row.stdout)
  const whole = row.end_line > row.start_line ? Buffer.concat([text, lineEnd]) : text
  const from = row.start_line < startLine ? offsetOfLine(whole, startLine - row.start_line) : 0
  const to = row.end_line > endLine ? offsetOfLine(whole, endLine - row.start_line) : whole.length
  return whole.subarray(from, to)
}

function offsetOfLine(bytes: Buffer, line: number): number {
  let offset = 0
  for (let passed = 0; passed < line; passed++) {
    const end = bytes.indexOf(newline, offset)
    if (end === -1) return bytes.length
    offset = end + 1
  }
  return offset
}
