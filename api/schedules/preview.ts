import { nextOccurrences } from '../../model/recurrence/occurrences.ts'
import { checkRecurrence } from '../../model/recurrence/validate.ts'
import { toLocalText } from '../../model/recurrence/zone.ts'
import { timeZoneLinks, timeZones } from '../../model/recurrence/zone-names.ts'
import { ValidationError } from '../errors.ts'
import type { Action } from '../resource.ts'
import { checkField } from '../validate-field.ts'

/** Instants that a preview shows. */
const shown = 10

/** `POST /schedules/preview/`: the next runs of a rule that need not be saved. What it shows is what runs: both come from model/recurrence/. */
export const previewAction: Action<never> = {
  async POST({ body, context }) {
    if (!('rrule' in body)) throw ValidationError.on('rrule', 'This field is required.')
    const checked = checkField({ kind: 'string', required: true }, body.rrule)
    if (!checked.ok) throw ValidationError.on('rrule', checked.message)
    const now = (context.deps.clock?.() ?? Date.now()) / 1000
    const result = checkRecurrence(String(checked.value), now)
    if (!result.ok) throw new ValidationError({ rrule: result.errors })
    const { recurrence } = result
    const next = nextOccurrences(recurrence, now, shown)
    return {
      status: 200,
      body: {
        local: next.map((instant) => toLocalText(recurrence.zone, instant)),
        utc: next.map((instant) => toLocalText('UTC', instant)),
      },
    }
  },
  permission: { POST: 'read' },
  title: 'Schedule Recurrence Rule Preview',
  fields: { POST: { rrule: { type: 'string', required: true, label: 'Rrule' } } },
}

/** `GET /schedules/zoneinfo/`: names of time zones. */
export const zoneInfoAction: Action<never> = {
  GET: async () => ({ status: 200, body: { zones: timeZones, links: timeZoneLinks } }),
  title: 'Schedule Zone Info',
  fields: { GET: {} },
}
