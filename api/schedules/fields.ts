import { parseRecurrence } from '../../model/recurrence/parse.ts'
import { toWallText, wallTime } from '../../model/recurrence/zone.ts'
import { overlapPolicies } from '../../model/schedule.ts'
import type { ScheduleRow } from '../../store/schedules/runs.ts'
import { type Choice, derived, type Field } from '../field.ts'

const policyLabels: Record<(typeof overlapPolicies)[number], string> = {
  allow_all: 'Allow All',
  skip: 'Skip',
  buffer_one: 'Buffer One',
  buffer_all: 'Buffer All',
  cancel_other: 'Cancel Other',
}
const policyChoices: readonly Choice[] = overlapPolicies.map((policy) => [policy, policyLabels[policy]])

const year = 366 * 86_400

/** What AWX shows of a schedule's rule, worked out from it. */
export const ruleFields: Record<string, Field> = {
  dtstart: { kind: 'datetime', readOnly: true },
  dtend: { kind: 'datetime', readOnly: true },
  next_run: { kind: 'datetime', readOnly: true },
  timezone: derived('field', (row) => parseRecurrence(ruleOf(row)).zone),
  until: derived('field', (row) => untilOf(ruleOf(row))),
}

/** What a schedule can do beyond AWX. */
export const runFields: Record<string, Field> = {
  overlap_policy: {
    kind: 'choice',
    choices: policyChoices,
    default: 'allow_all',
    help: 'What happens when a run is due while a job of this schedule is still active.',
  },
  catchup_window: {
    kind: 'integer',
    min: 0,
    max: year,
    default: 3600,
    help: 'Seconds that a run may be late before it is left out.',
  },
  jitter: {
    kind: 'integer',
    min: 0,
    max: 86_400,
    default: 0,
    help: 'Seconds by which each run is put off at random, at most.',
  },
  pause_on_failure: { kind: 'boolean', default: false, help: 'Disable the schedule when a job of it fails.' },
}

const ruleOf = (row: unknown) => (row as ScheduleRow).rrule

/** The first UNTIL on the wall of the schedule's zone; '' where no rule has one. */
function untilOf(rrule: string): string {
  const { rules, zone } = parseRecurrence(rrule)
  const until = rules.find((rule) => rule.until !== null)?.until
  return until === undefined || until === null ? '' : toWallText(wallTime(zone, until))
}
