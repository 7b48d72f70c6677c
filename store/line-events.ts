import { eq, sql } from 'drizzle-orm'
import type { EventRow } from '../model/event.ts'
import { channels } from './channel.ts'
import type { Database } from './database.ts'
import { notify } from './notify.ts'
import { jobEvents, unifiedJobs } from './schema/jobs.ts'

/**
 * Appends lines to the output of a job within the transaction that stores what they tell of; `make` turns a line into its event. Answers how many
 * events the job has then.
 */
export async function appendLines(
  tx: Database,
  jobId: number,
  texts: readonly string[],
  make: (text: string, counter: number, line: number) => EventRow,
): Promise<number> {
  const [last] = await tx
    .select({
      counter: sql<number>`coalesce(max(${jobEvents.counter}), 0)`,
      line: sql<number>`coalesce(max(${jobEvents.endLine}), 0)`,
      events: sql<number>`count(*)::int`,
    })
    .from(jobEvents)
    .where(eq(jobEvents.jobId, jobId))
  const { counter, line, events } = last ?? { counter: 0, line: 0, events: 0 }
  if (texts.length === 0) return events
  const rows = texts.map((text, index) => make(text, counter + index + 1, line + index))
  await tx.insert(jobEvents).values(rows.map(({ stdoutRaw: _none, ...row }) => ({ ...row, jobId })))
  await tx
    .update(unifiedJobs)
    .set({ eventsStored: sql`${unifiedJobs.eventsStored} + ${rows.length}` })
    .where(eq(unifiedJobs.id, jobId))
  await notify(tx, channels.events, jobId)
  return events + rows.length
}
