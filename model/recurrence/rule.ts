/** How often a rule looks: its period. In the order of python-dateutil, coarse first. */
export const frequencies = ['YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY', 'MINUTELY', 'SECONDLY'] as const
/** The period of a rule. */
export type Frequency = (typeof frequencies)[number]

/** Weekdays in the order of their numbers: Monday is 0. */
export const weekdayNames = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const

/** The n-th (from the end: -n-th) weekday of the month or year. */
export interface NthWeekday {
  weekday: number
  nth: number
}

/** One RRULE or EXRULE; a list that was not given is null. Names are those of RFC 5545. */
export interface Rule {
  frequency: Frequency
  /** 1 or more. */
  interval: number
  count: number | null
  /** Last possible instant, in seconds since 1970. */
  until: number | null
  /** First day of the week; Monday is 0. */
  weekStart: number
  bySetPosition: number[] | null
  byMonth: number[] | null
  byMonthDay: number[] | null
  byYearDay: number[] | null
  byWeekNumber: number[] | null
  byWeekday: number[] | null
  byNthWeekday: NthWeekday[] | null
  /** Days after Easter Sunday: an extension of python-dateutil. */
  byEaster: number[] | null
  byHour: number[] | null
  byMinute: number[] | null
  bySecond: number[] | null
}

/**
 * A wall-clock time, in seconds since 1970-01-01 00:00 on the same wall: no zone, so every day has 86,400 of them. Rules are expanded on the wall and
 * only then placed in the zone, as python-dateutil does it.
 */
export type WallTime = number

/** A text that python-dateutil would not take either; its message is what AWX shows behind "rrule parsing failed validation: ". */
export class RecurrenceError extends Error {}
