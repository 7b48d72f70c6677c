import { isFinal } from '../../model/job.ts'
import { cancelJob } from '../../store/cancel-job.ts'
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
