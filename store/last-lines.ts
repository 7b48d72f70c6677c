import { sql } from 'drizzle-orm'
import type { Database } from './database.ts'

/** A line of output may be megabytes long; its end tells what happened. */
const mostCharacters = 2_000

/** The last lines of a job's output as text, oldest first, each cut to its end. Reads no more events than lines. */
export async function readLastLines(db: Database, jobId: number, lines: number): Promise<string[]> {
  const { rows } = await db.execute<{ stdout: string }>(sql`
    SELECT right(stdout, ${lines * mostCharacters}) AS stdout FROM job_events
    WHERE job_id = ${jobId} AND (end_line > start_line OR stdout <> '')
    ORDER BY start_line DESC, counter DESC LIMIT ${lines}`)
  return rows
    .toReversed()
    .flatMap(({ stdout }) => stdout.split(/\r?\n/))
    .slice(-lines)
    .map((line) => line.slice(-mostCharacters))
}
