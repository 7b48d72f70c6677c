import { eq, sql } from 'drizzle-orm'
import type { AttemptRow } from './claims.ts'
import type { Database } from './database.ts'
import { attempts } from './schema/runtime.ts'

const mostEvents = 500
const mostCharacters = 64 * 1024

/** Keeps the end of what a job has printed with the attempt that printed it, before the job's output is that of another one. */
export async function keepLastOutput(tx: Database, { id, jobId }: Pick<AttemptRow, 'id' | 'jobId'>): Promise<void> {
  const text = await lastOutput(tx, jobId)
  if (text !== '') await tx.update(attempts).set({ lastOutput: text }).where(eq(attempts.id, id))
}

/** At most 64 KiB of its last 500 events, as stored. */
async function lastOutput(db: Database, jobId: number): Promise<string> {
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
