import { and, eq } from 'drizzle-orm'
import { isFinal } from '../../model/job.ts'
import type { Database } from '../../store/database.ts'
import { requestCancel, transitionJob } from '../../store/job-status.ts'
import { enqueue } from '../../store/outbox.ts'
import { outbox } from '../../store/schema/runtime.ts'
import { MethodNotAllowedError } from '../errors.ts'
import type { Action } from '../resource.ts'
import type { JobRow } from './fields.ts'

/** `…/cancel/` of every kind of job: 202 without a body, 405 once it has ended. */
export function cancelAction(): Action<JobRow> {
  return {
    async GET({ object }) {
      return { status: 200, body: { can_cancel: !isFinal(object.status) } }
    },
    async POST({ object, context }) {
      if (!(await cancelJob(context.db, object.id))) throw new MethodNotAllowedError('POST')
      return { status: 202 }
    },
    fields: {
      GET: { can_cancel: { type: 'boolean', label: 'Can cancel', filterable: false } },
      POST: {},
    },
  }
}

/**
 * Cancels a job within the caller's transaction. One whose start nobody has tried to send ends at once; of any other Temporal must be told,
 * because its workflow may run already. False when it has ended.
 */
async function cancelJob(tx: Database, jobId: number): Promise<boolean> {
  if (!(await requestCancel(tx, jobId))) return false
  // A sender that is just claiming the row holds its lock: this waits, and then finds `tries` counted up.
  const unsent = await tx
    .delete(outbox)
    .where(and(eq(outbox.subjectId, jobId), eq(outbox.kind, 'start'), eq(outbox.tries, 0)))
    .returning({ id: outbox.id })
  if (unsent.length > 0) await transitionJob(tx, jobId, 'canceled', { cause: 'canceled' })
  else await enqueue(tx, 'cancel', jobId)
  return true
}
