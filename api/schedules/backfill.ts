import type { ScheduleRow } from '../../store/schedules/runs.ts'
import { toIdText } from '../../store/schedules/times.ts'
import { backfill, mostBackfilled } from '../../store/schedules/write.ts'
import { ValidationError } from '../errors.ts'
import type { Action } from '../resource.ts'

/**
 * `POST /schedules/N/backfill/` `{start, end}`: runs of the schedule's rule between two instants that were not launched, launched now, whether the schedule is
 * enabled or not. Never the same instant twice.
 */
export const backfillAction: Action<ScheduleRow> = {
  async POST({ object: schedule, body, context }) {
    const errors: Record<string, string[]> = {}
    const [start, end] = [instant('start', body, errors), instant('end', body, errors)]
    const now = (context.deps.clock?.() ?? Date.now()) / 1000
    if (end > now) errors.end = ['This lies in the future: only runs of the past can be made up for.']
    if (start > end) errors.start = ['This must not be later than end.']
    if (Object.keys(errors).length > 0) throw new ValidationError(errors)
    const made = await backfill(context.db, schedule, { start, end })
    if (made === 'too many') {
      throw ValidationError.on(
        'start',
        `There are more than ${mostBackfilled} runs between start and end: choose a shorter time.`,
      )
    }
    return { status: 202, body: { due: made.due, runs: made.instants.map(toIdText) } }
  },
  permission: { POST: 'edit' },
  link: 'backfill',
  title: 'Schedule Backfill',
  fields: {
    POST: {
      start: { type: 'datetime', required: true, label: 'Start' },
      end: { type: 'datetime', required: true, label: 'End' },
    },
  },
}

/** An instant of a body in seconds; with a zone, or it would be anybody's guess which one is meant. */
function instant(name: 'start' | 'end', body: Record<string, unknown>, errors: Record<string, string[]>): number {
  const given = body[name]
  if (given === undefined) errors[name] = ['This field is required.']
  else if (typeof given !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(given)) {
    errors[name] = ['Give a date and time with its zone, such as 2030-01-31T18:00:00Z.']
  } else {
    const milliseconds = Date.parse(given)
    if (!Number.isNaN(milliseconds)) return milliseconds / 1000
    errors[name] = ['There is no such date and time.']
  }
  return 0
}
