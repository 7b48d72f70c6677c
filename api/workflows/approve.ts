import { isFinal } from '../../model/job.ts'
import { alreadyDecided, decideApproval } from '../../store/workflow/approve.ts'
import { ApiError } from '../errors.ts'
import type { JobRow } from '../jobs/fields.ts'
import type { Action } from '../resource.ts'

/** `/workflow_approvals/N/approve/` and `/deny/`: somebody's word, once. */
export function decisionAction(decision: 'approve' | 'deny'): Action<JobRow> {
  return {
    async GET({ object }) {
      return { status: 200, body: { job_explanation: object.jobExplanation } }
    },
    async POST({ object, context }) {
      const late = () => new ApiError(400, { error: alreadyDecided })
      if (isFinal(object.status)) throw late()
      const won = await decideApproval(context.db, object.id, { decision, userId: context.actor.id })
      if (!won) throw late()
      return { status: 204 }
    },
    // One right for both.
    permission: { POST: 'approve' },
    fields: { GET: {}, POST: {} },
  }
}
