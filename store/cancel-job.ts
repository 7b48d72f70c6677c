import { and, eq, sql } from 'drizzle-orm'
import { isFinal } from '../model/job.ts'
import type { Database } from './database.ts'
import { requestCancelLocked, transitionLocked } from './job-status.ts'
import { lockJob } from './lock-order.ts'
import { enqueue } from './outbox.ts'
import { preparedOn } from './prepared.ts'
import { outbox } from './schema/runtime.ts'

/**
 * Cancels a job within the caller's transaction. One that nobody has begun ends at once: its start was not sent, or it is a node's that its
 * workflow job has not started. Of any other Temporal must be told, because its workflow may run already. False when it has ended.
 */
export async function cancelJob(tx: Database, jobId: number): Promise<boolean> {
  const job = await lockJob(tx, jobId)
  if (isFinal(job.status)) return false
  // A sender that is just claiming the row holds its lock: this waits, and then finds `tries` counted up.
  const unsent = await withdrawnStart(tx).execute({ jobId })
  const wasUnsent = unsent.length > 0
  // Very many may rest, and all be cancelled at once: no statement here is one too many.
  if (wasUnsent || (job.workflowJobId !== null && job.runId === null))
    await transitionLocked(tx, job, 'canceled', { cause: 'canceled', cancelFlag: true })
  else await requestCancelLocked(tx, job)
  // A child that was started and has not looked at its row yet finds it ended.
  if (!wasUnsent) await enqueue(tx, 'cancel', jobId)
  return true
}

const withdrawnStart = preparedOn((db) =>
  db
    .delete(outbox)
    .where(and(eq(outbox.subjectId, sql.placeholder('jobId')), eq(outbox.kind, 'start'), eq(outbox.tries, 0)))
    .returning({ id: outbox.id })
    .prepare('withdrawn_start'),
)
