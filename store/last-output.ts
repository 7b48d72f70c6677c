import { sql } from 'drizzle-orm'
import type { Database } from './database.ts'

const mostEvents = 500
const mostCharacters = 64 * 1024

/** The end of what a job has printed, as stored: at most 64 KiB of its last 500 events. */
export async function lastOutput(db: Database, jobId: number): Promise<string> {
  const { rows } = await db.execute<{ stdout: string; line: boolean }>(sql`
    SELECT right(stdout, ${mostCharacters}) AS stdout, end_line > start_line AS line FROM job_events
    WHERE job_id = ${jobId} AND (end_line > start_line OR stdout <> '')
    ORDER BY start_line DESC, counter DESC LIMIT ${mostEvents}`)
  let text = ''
  for (const { stdout, line } of rows) {
    text = `${stdout}${line ? '\r\n' : ''}${text}`
    if (text.length >= mostCharacters) break
  }
  return text.slice(-mostCharacters)
}
