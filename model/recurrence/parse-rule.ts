import { calendarDay, daySeconds, modulo, weekdayOf } from './calendar.ts'
import {
  type Frequency,
  frequencies,
  type NthWeekday,
  RecurrenceError,
  type Rule,
  type WallTime,
  weekdayNames,
} from './rule.ts'

/** Keys of lists of numbers, by their names in the text. */
const lists = {
  BYMONTH: 'byMonth',
  BYMONTHDAY: 'byMonthDay',
  BYYEARDAY: 'byYearDay',
  BYWEEKNO: 'byWeekNumber',
  BYEASTER: 'byEaster',
  BYHOUR: 'byHour',
  BYMINUTE: 'byMinute',
  BYSECOND: 'bySecond',
  BYSETPOS: 'bySetPosition',
} as const

/**
 * Parses what stands behind `RRULE:`, in upper case. What the text leaves open comes from the start, as RFC 5545 says. `toInstant` places an UNTIL.
 * Throws RecurrenceError with python-dateutil's texts.
 */
export function parseRule(text: string, start: WallTime, toInstant: (until: string) => number): Rule {
  const rule: Omit<Rule, 'frequency'> & { frequency?: Frequency } = {
    interval: 1,
    count: null,
    until: null,
    weekStart: 0,
    bySetPosition: null,
    byMonth: null,
    byMonthDay: null,
    byYearDay: null,
    byWeekNumber: null,
    byWeekday: null,
    byNthWeekday: null,
    byEaster: null,
    byHour: null,
    byMinute: null,
    bySecond: null,
  }
  let weekdays: { weekday: number; nth: number | null }[] | null = null
  for (const pair of text.split(';')) {
    const [name = '', value, ...more] = pair.split('=')
    if (value === undefined) throw new RecurrenceError('not enough values to unpack (expected 2, got 1)')
    if (more.length > 0) throw new RecurrenceError('too many values to unpack (expected 2)')
    const invalid = () => new RecurrenceError(`invalid '${name}': ${value}`)
    const whole = (digits: string) => {
      if (!/^[+-]?\d{1,9}$/.test(digits)) throw invalid()
      return Number(digits)
    }
    if (name === 'FREQ') {
      if (!(frequencies as readonly string[]).includes(value)) throw invalid()
      rule.frequency = value as Frequency
    } else if (name === 'INTERVAL') rule.interval = whole(value)
    else if (name === 'COUNT') rule.count = whole(value)
    else if (name === 'UNTIL') {
      try {
        rule.until = toInstant(value)
      } catch {
        throw invalid()
      }
    } else if (name === 'WKST') {
      rule.weekStart = (weekdayNames as readonly string[]).indexOf(value)
      if (rule.weekStart < 0) throw invalid()
    } else if (name === 'BYDAY' || name === 'BYWEEKDAY') {
      weekdays = value.split(',').map((day) => parseWeekday(day) ?? raise(invalid()))
    } else if (name in lists) {
      rule[lists[name as keyof typeof lists]] = [...new Set(value.split(',').map(whole))]
    } else throw new RecurrenceError(`unknown parameter '${name}'`)
  }
  const { frequency } = rule
  if (!frequency) throw new RecurrenceError("rrule.__init__() missing 1 required positional argument: 'freq'")
  if (rule.interval < 1) throw new RecurrenceError('INTERVAL must be 1 or more')
  if (rule.bySetPosition?.some((position) => position === 0 || Math.abs(position) > 366)) {
    throw new RecurrenceError('bysetpos must be between 1 and 366, or between -366 and -1')
  }
  const complete = { ...rule, frequency, ...splitWeekdays(weekdays, frequency) }
  checkTimes(complete, start)
  return { ...complete, ...impliedDays(complete, start) }
}

/** `MO`, `+1MO`, `-1MO`, `MO(-1)`. */
function parseWeekday(text: string): { weekday: number; nth: number | null } | undefined {
  const parts = /^([+-]?\d{1,3})?([A-Z]{2})(?:\(([+-]?\d{1,3})\))?$/.exec(text)
  if (!parts) return undefined
  const weekday = (weekdayNames as readonly string[]).indexOf(parts[2] ?? '')
  const nth = parts[1] ?? parts[3]
  return weekday < 0 || Number(nth) === 0 ? undefined : { weekday, nth: nth === undefined ? null : Number(nth) }
}

/** Numbers mean something in months and years only; elsewhere the weekday alone counts. */
function splitWeekdays(
  weekdays: { weekday: number; nth: number | null }[] | null,
  frequency: Frequency,
): Pick<Rule, 'byWeekday' | 'byNthWeekday'> {
  if (!weekdays) return { byWeekday: null, byNthWeekday: null }
  const numbered = frequency === 'YEARLY' || frequency === 'MONTHLY'
  const plain = weekdays.filter(({ nth }) => nth === null || !numbered).map(({ weekday }) => weekday)
  const nth = weekdays.filter((day): day is NthWeekday => day.nth !== null && numbered)
  return { byWeekday: plain.length > 0 ? plain : null, byNthWeekday: nth.length > 0 ? nth : null }
}

/** A rule that names no days has those of its start. */
function impliedDays(rule: Rule, start: WallTime): Partial<Rule> {
  const { byWeekNumber, byYearDay, byMonthDay, byWeekday, byNthWeekday, byEaster, byMonth, frequency } = rule
  if (byWeekNumber ?? byYearDay ?? byMonthDay ?? byWeekday ?? byNthWeekday ?? byEaster) return {}
  const { number, month, day } = calendarDay(Math.floor(start / daySeconds))
  if (frequency === 'YEARLY') return { byMonth: byMonth ?? [month], byMonthDay: [day] }
  if (frequency === 'MONTHLY') return { byMonthDay: [day] }
  if (frequency === 'WEEKLY') return { byWeekday: [weekdayOf(number)] }
  return {}
}

/** Refuses times of day that no clock shows, and those that the rule's steps never meet. */
function checkTimes(rule: Rule, start: WallTime): void {
  const clock = modulo(start, daySeconds)
  const parts = [
    ['hour', rule.byHour, 24, 'HOURLY', Math.floor(clock / 3600)],
    ['minute', rule.byMinute, 60, 'MINUTELY', Math.floor(clock / 60) % 60],
    ['second', rule.bySecond, 60, 'SECONDLY', clock % 60],
  ] as const
  for (const [unit, values, base, frequency, from] of parts) {
    if (!values) continue
    if (values.some((value) => value < 0 || value >= base))
      throw new RecurrenceError(`${unit} must be in 0..${base - 1}`)
    const stride = greatestCommonDivisor(rule.interval, base)
    if (rule.frequency === frequency && !values.some((value) => modulo(value - from, stride) === 0)) {
      throw new RecurrenceError('Invalid rrule byxxx generates an empty set.')
    }
  }
}

const greatestCommonDivisor = (one: number, other: number): number =>
  other === 0 ? one : greatestCommonDivisor(other, one % other)

function raise(error: Error): never {
  throw error
}
