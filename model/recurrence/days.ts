import {
  type CalendarDay,
  calendarDay,
  dayNumber,
  easterSunday,
  monthLength,
  weekdayOf,
  weekOf,
  yearLength,
} from './calendar.ts'
import type { Rule } from './rule.ts'

/**
 * Makes the test whether a rule lets a day pass. Every part must, also plain weekdays beside numbered ones (`BYDAY=MO,2TU` is no day at all): that is
 * how python-dateutil, and so AWX, reads a rule.
 */
export function dayFilter(rule: Rule): (day: number) => boolean {
  const tests: ((day: CalendarDay) => boolean)[] = []
  const { byMonth, byWeekNumber, byWeekday, byNthWeekday, byEaster, byMonthDay, byYearDay } = rule
  if (byMonth?.length) tests.push(({ month }) => byMonth.includes(month))
  if (byWeekday?.length) tests.push(({ number }) => byWeekday.includes(weekdayOf(number)))
  if (byMonthDay?.length) {
    tests.push(
      ({ year, month, day }) => byMonthDay.includes(day) || byMonthDay.includes(day - monthLength(year, month) - 1),
    )
  }
  if (byYearDay?.length) {
    tests.push(({ number, year }) => {
      const ordinal = number - dayNumber(year, 1, 1) + 1
      return byYearDay.includes(ordinal) || byYearDay.includes(ordinal - yearLength(year) - 1)
    })
  }
  if (byNthWeekday?.length) tests.push((day) => isNthWeekday(rule, day))
  if (byWeekNumber?.length) {
    tests.push((day) => {
      const { year, week, weeks } = weekOf(day.number, rule.weekStart)
      // Days at the edge of a year that belong to a week of another: as the last week of the old year, or as week 1 of the new one.
      if (year < day.year) return byWeekNumber.includes(week) || byWeekNumber.includes(-1)
      if (year > day.year) return byWeekNumber.includes(1)
      return byWeekNumber.includes(week) || byWeekNumber.includes(week - weeks - 1)
    })
  }
  if (byEaster?.length) tests.push(({ number, year }) => byEaster.includes(number - easterSunday(year)))
  return (number) => {
    const day = calendarDay(number)
    return tests.every((test) => test(day))
  }
}

/** Numbered within the month; within the year for a yearly rule that names no month. */
function isNthWeekday({ byNthWeekday, frequency, byMonth }: Rule, { number, year, month, day }: CalendarDay): boolean {
  const within = frequency === 'YEARLY' && !byMonth?.length
  const position = within ? number - dayNumber(year, 1, 1) : day - 1
  const length = within ? yearLength(year) : monthLength(year, month)
  const weekday = weekdayOf(number)
  return !!byNthWeekday?.some(
    ({ weekday: wanted, nth }) =>
      wanted === weekday &&
      (nth > 0 ? Math.floor(position / 7) === nth - 1 : Math.floor((length - 1 - position) / 7) === -nth - 1),
  )
}
