import { and, eq } from 'drizzle-orm'
import type { Database } from './database.ts'
import { requestCancel, transitionJob } from './job-status.ts'
import { enqueue } from './outbox.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { outbox } from './schema/runtime.ts'

/**
 * Cancels a job within the caller's transaction. One that nobody has begun ends at once: its start was not sent, or it is a node's that its
 * workflow job has not started. Of any other Temporal must be told, because its workflow may run already. False when it has ended.
 */
export async function cancelJob(tx: Database, jobId: number): Promise<boolean> {
  if (!(await requestCancel(tx, jobId))) return false
  // A sender that is just claiming the row holds its lock: this waits, and then finds `tries` counted up.
  const unsent = await tx
    .delete(outbox)
    .where(and(eq(outbox.subjectId, jobId), eq(outbox.kind, 'start'), eq(outbox.tries, 0)))
    .returning({ id: outbox.id })
  const [job] = await tx
    .select({ runId: unifiedJobs.runId, workflowJobId: unifiedJobs.workflowJobId })
    .from(unifiedJobs)
    .where(eq(unifiedJobs.id, jobId))
  const unbegun = unsent.length > 0 || (job?.workflowJobId !== null && job?.runId === null)
  if (unbegun) await transitionJob(tx, jobId, 'canceled', { cause: 'canceled' })
  // A child that was started and has not looked at its row yet finds it ended.
  if (unsent.length === 0) await enqueue(tx, 'cancel', jobId)
  return true
}
