import { isFinal } from '../../model/job.ts'
import { toWireTime } from '../../store/instant.ts'
import { derived, type Field } from '../field.ts'
import type { JobRow } from './fields.ts'

/** `passed_over`: groups that had no place for a job while it waited, why, and since when. Beyond AWX. */
export const passedOverField: Field = derived('list', (row) => passedOverOnWire(row as unknown as JobRow), {
  detailOnly: true,
  label: 'Passed over',
  help: 'Groups that had no place for the job while it waited, with why, since when, and until when.',
})

/** The record as the API shows it. A job that ended while it waited asked its groups until then. */
export function passedOverOnWire(job: Pick<JobRow, 'passedOver' | 'status' | 'finished'>) {
  return job.passedOver.map(({ groupId, group, why, message, since, until }) => ({
    group: groupId,
    name: group,
    why,
    message,
    since: toWireTime(since),
    until: toWireTime(until ?? (isFinal(job.status) ? job.finished : null)),
  }))
}
