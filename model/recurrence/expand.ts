import {
  calendarDay,
  cycleDays,
  dayNumber,
  daySeconds,
  modulo,
  monthLength,
  weekdayOf,
  yearLength,
} from './calendar.ts'
import { dayFilter } from './days.ts'
import type { Rule, WallTime } from './rule.ts'

/** Days that may be looked at in vain before a rule counts as ended. */
const patience = cycleDays
/** The last day of the year 9999, where python-dateutil ends too. */
const lastDay = dayNumber(10_000, 1, 1) - 1
/** Seconds of the unit in which frequencies below the day count. */
const unitSeconds = { HOURLY: 3600, MINUTELY: 60, SECONDLY: 1 } as const

/** How much may be looked at, in days and times of day; a rule that needs more is told as if it ended there. */
export class Effort {
  #left: number

  constructor(most: number) {
    this.#left = most
  }

  /** False when there is nothing left. */
  spend(amount: number): boolean {
    this.#left -= amount
    return this.#left >= 0
  }

  get exhausted(): boolean {
    return this.#left < 0
  }
}

/** A period of a rule: its days that pass, and the times (seconds of the day) on each of them. */
interface Period {
  days: number[]
  times: number[]
}

/**
 * The wall-clock times of one rule that begins at `start`, in their order, from `from` to `to`. Skips straight to `from` unless the rule counts its
 * occurrences. Ends by itself also for rules that never match. `until` is not looked at: it is an instant, not a time on the wall.
 */
export function* expand(
  rule: Rule,
  start: WallTime,
  { from, to }: { from: WallTime; to: WallTime },
  effort: Effort,
): Generator<WallTime> {
  let left = rule.count ?? Number.POSITIVE_INFINITY
  const begin = rule.count === null ? Math.max(from, start) : start
  let idle = 0
  for (const { first, days, times, looked } of periods(rule, start, begin)) {
    idle += looked
    if (first * daySeconds > to || !effort.spend(looked)) return
    for (const time of positions(rule, { days, times })) {
      if (!effort.spend(1)) return
      if (time < start) continue
      idle = 0
      if (left-- <= 0 || time > to) return
      if (time >= from) yield time
    }
    if (idle > patience) return
  }
}

/** With the first day of the period, and how many days were looked at. */
type LookedAt = Period & { first: number; looked: number }

function periods(rule: Rule, start: WallTime, begin: WallTime): Generator<LookedAt> {
  const { frequency } = rule
  if (frequency === 'HOURLY' || frequency === 'MINUTELY' || frequency === 'SECONDLY') {
    return withinDays(rule, unitSeconds[frequency], start, begin)
  }
  return ofDays(rule, start, begin)
}

/** Years, months, weeks and days: a span of days with the same times on each. */
function* ofDays(rule: Rule, start: WallTime, begin: WallTime): Generator<LookedAt> {
  const passes = dayFilter(rule)
  const clock = modulo(start, daySeconds)
  const times = timesOfDay(
    rule.byHour ?? [Math.floor(clock / 3600)],
    rule.byMinute ?? [Math.floor(clock / 60) % 60],
    rule.bySecond ?? [clock % 60],
  )
  const span = spans[rule.frequency as keyof typeof spans]
  const first = Math.floor(start / daySeconds)
  const skipped = span.between(first, Math.floor(begin / daySeconds), rule.weekStart)
  for (let index = skipped - modulo(skipped, rule.interval); ; index += rule.interval) {
    const [from, to] = span.days(first, index, rule.weekStart)
    if (from > lastDay) return
    const days: number[] = []
    for (let day = from; day < to; day++) if (passes(day)) days.push(day)
    yield { first: from, days, times, looked: to - from }
  }
}

/** Hours, minutes and seconds: each is a period of its own, found day by day so that days that do not pass cost nothing. */
function* withinDays(rule: Rule, unit: number, start: WallTime, begin: WallTime): Generator<LookedAt> {
  const passes = dayFilter(rule)
  const { byHour, byMinute, bySecond, interval } = rule
  const origin = Math.floor(start / unit)
  const step = interval * unit
  for (let day = Math.floor(begin / daySeconds); day <= lastDay; ) {
    const midnight = day * daySeconds
    const ahead = modulo(origin - midnight / unit, interval) * unit
    const days = [day]
    let looked = 1
    if (passes(day)) {
      for (let second = ahead; second < daySeconds; second += step) {
        const [hour, minute] = [Math.floor(second / 3600), Math.floor(second / 60) % 60]
        if (byHour && !byHour.includes(hour)) continue
        if (unit < 3600 && byMinute && !byMinute.includes(minute)) continue
        if (unit === 1 && bySecond && !bySecond.includes(second % 60)) continue
        const minutes = unit < 3600 ? [minute] : (byMinute ?? [modulo(Math.floor(start / 60), 60)])
        yield {
          first: day,
          days,
          times: timesOfDay([hour], minutes, unit === 1 ? [second % 60] : (bySecond ?? [modulo(start, 60)])),
          // Finding the times of an hour is work as well.
          looked: looked + (bySecond?.length ?? 0) * minutes.length,
        }
        looked = 0
      }
    }
    yield { first: day, days: [], times: [], looked }
    // An interval of more than a day skips days as a whole.
    day += Math.max(
      1,
      Math.floor((ahead + (ahead < daySeconds ? Math.ceil((daySeconds - ahead) / step) * step : 0)) / daySeconds),
    )
  }
}

/** Where the spans of a frequency lie, seen from the first day. */
const spans = {
  YEARLY: {
    between: (first: number, day: number) => calendarDay(day).year - calendarDay(first).year,
    days(first: number, index: number) {
      const year = calendarDay(first).year + index
      const from = dayNumber(year, 1, 1)
      return [from, from + yearLength(year)] as const
    },
  },
  MONTHLY: {
    between(first: number, day: number) {
      const [a, b] = [calendarDay(first), calendarDay(day)]
      return (b.year - a.year) * 12 + b.month - a.month
    },
    days(first: number, index: number) {
      const { year, month } = calendarDay(first)
      const from = dayNumber(year, month + index, 1)
      const begun = calendarDay(from)
      return [from, from + monthLength(begun.year, begun.month)] as const
    },
  },
  WEEKLY: {
    between: (first: number, day: number, weekStart: number) =>
      (startOfWeek(day, weekStart) - startOfWeek(first, weekStart)) / 7,
    /** The first week begins with the first day: what lies before it does not count for BYSETPOS. */
    days(first: number, index: number, weekStart: number) {
      const from = startOfWeek(first, weekStart) + index * 7
      return [Math.max(from, first), from + 7] as const
    },
  },
  DAILY: {
    between: (first: number, day: number) => day - first,
    days: (first: number, index: number) => [first + index, first + index + 1] as const,
  },
}

const startOfWeek = (day: number, weekStart: number) => day - modulo(weekdayOf(day) - weekStart, 7)

/** All combinations as sorted seconds of the day. */
function timesOfDay(hours: number[], minutes: number[], seconds: number[]): number[] {
  const times = hours.flatMap((hour) =>
    minutes.flatMap((minute) => seconds.map((second) => hour * 3600 + minute * 60 + second)),
  )
  return times.sort((one, other) => one - other)
}

/** The period's times; with BYSETPOS only those at its positions. */
function* positions({ bySetPosition }: Rule, { days, times }: Period): Generator<WallTime> {
  const at = (position: number) => {
    const day = days[Math.floor(position / times.length)] as number
    return day * daySeconds + (times[position % times.length] as number)
  }
  const total = days.length * times.length
  if (!bySetPosition?.length) {
    for (let position = 0; position < total; position++) yield at(position)
    return
  }
  const wanted = bySetPosition.map((position) => (position > 0 ? position - 1 : total + position))
  const valid = [...new Set(wanted)].filter((position) => position >= 0 && position < total)
  for (const position of valid.sort((one, other) => one - other)) yield at(position)
}
