import { isFinal } from '../../model/job.ts'
import { cancelJob } from '../../store/cancel-job.ts'
import { MethodNotAllowedError } from '../errors.ts'
import type { Action } from '../resource.ts'
import type { JobRow } from './fields.ts'

/** `…/cancel/` of every kind of job: 202 without a body, 405 once it has ended. AWX shows the explanation of workflow jobs too. */
export function cancelAction({ explains = false } = {}): Action<JobRow> {
  return {
    async GET({ object }) {
      const explanation = explains ? { job_explanation: object.jobExplanation } : {}
      return { status: 200, body: { can_cancel: !isFinal(object.status), ...explanation } }
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
