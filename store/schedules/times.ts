import { firstOccurrence, lastOccurrence, nextOccurrences } from '../../model/recurrence/occurrences.ts'
import type { Recurrence } from '../../model/recurrence/parse.ts'

/** An instant of model/recurrence/ (seconds since 1970) for a column. */
export const toColumn = (seconds: number): string => new Date(seconds * 1000).toISOString()

/** A column's instant in seconds since 1970, with its fraction. */
export const toSeconds = (column: string): number => Date.parse(column.replace(' ', 'T').replace(/\+00$/, 'Z')) / 1000

/** The instant as it stands in ids and inputs: `2026-11-21T18:00:00Z`, as Temporal writes it. */
export const toIdText = (seconds: number): string => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`

/** Columns that follow from a schedule's rule. `now` in seconds since 1970. */
export function scheduleTimes(
  recurrence: Recurrence,
  enabled: boolean,
  now: number,
): { dtstart: string | null; dtend: string | null; nextRun: string | null } {
  const column = (seconds: number | null | undefined) =>
    seconds === null || seconds === undefined ? null : toColumn(seconds)
  return {
    dtstart: column(firstOccurrence(recurrence)),
    dtend: column(lastOccurrence(recurrence)),
    nextRun: enabled ? column(nextOccurrences(recurrence, now, 1)[0]) : null,
  }
}
