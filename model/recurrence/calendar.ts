/** Seconds of a day. */
export const daySeconds = 86_400

/** A day of the proleptic Gregorian calendar, counted from 1970-01-01. */
export interface CalendarDay {
  /** Days since 1970-01-01. */
  number: number
  year: number
  /** 1–12. */
  month: number
  /** 1–31. */
  day: number
}

/** Days of 400 years, after which the calendar repeats. */
export const cycleDays = 146_097
/** 1970-01-01, counted from 0000-03-01: years that begin in March have their leap day at the end. */
const epoch = 719_468

/** Days since 1970-01-01 of a date; months outside of 1–12 run over into other years. */
export function dayNumber(year: number, month: number, day: number): number {
  const months = year * 12 + month - 3
  const marchYear = Math.floor(months / 12)
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400)
  return marchYear * 365 + leapDays + daysBefore(months - marchYear * 12) + day - 1 - epoch
}

/** The date of a day number. */
export function calendarDay(number: number): CalendarDay {
  const days = number + epoch
  const cycle = Math.floor(days / cycleDays)
  const inCycle = days - cycle * cycleDays
  const yearOfCycle = Math.floor(
    (inCycle - Math.floor(inCycle / 1460) + Math.floor(inCycle / 36_524) - Math.floor(inCycle / 146_096)) / 365,
  )
  const leapDays = Math.floor(yearOfCycle / 4) - Math.floor(yearOfCycle / 100)
  const ordinal = inCycle - yearOfCycle * 365 - leapDays
  const marchMonth = Math.floor((5 * ordinal + 2) / 153)
  const early = marchMonth < 10
  return {
    number,
    year: cycle * 400 + yearOfCycle + (early ? 0 : 1),
    month: early ? marchMonth + 3 : marchMonth - 9,
    day: ordinal - daysBefore(marchMonth) + 1,
  }
}

/** Days of a year that begins in March before its n-th month: 31, 30, 31, 30, 31 over and over. */
const daysBefore = (marchMonth: number) => Math.floor((153 * marchMonth + 2) / 5)

/** Monday is 0, as in python-dateutil. */
export const weekdayOf = (number: number): number => modulo(number + 3, 7)

/** 28–31. */
export const monthLength = (year: number, month: number): number =>
  dayNumber(year, month + 1, 1) - dayNumber(year, month, 1)

/** 365 or 366. */
export const yearLength = (year: number): number => (isLeap(year) ? 366 : 365)

/** The numbered week of a day: weeks begin on `weekStart`, and week 1 is the first with four days or more in its year. */
export function weekOf(number: number, weekStart: number): { year: number; week: number; weeks: number } {
  const first = number - modulo(weekdayOf(number) - weekStart, 7)
  // The year of a week is that of its fourth day.
  const { year } = calendarDay(first + 3)
  const start = firstWeek(year, weekStart)
  return { year, week: (first - start) / 7 + 1, weeks: (firstWeek(year + 1, weekStart) - start) / 7 }
}

/** Easter Sunday of the western churches, by the method of Meeus, Jones and Butcher. */
export function easterSunday(year: number): number {
  const golden = year % 19
  const century = Math.floor(year / 100)
  const epact = modulo(
    19 * golden + century - (century >> 2) - Math.floor((century - Math.floor((century + 8) / 25) + 1) / 3) + 15,
    30,
  )
  const fill = modulo(32 + 2 * (century % 4) + 2 * ((year % 100) >> 2) - epact - (year % 4), 7)
  const late = Math.floor((golden + 11 * epact + 22 * fill) / 451)
  const total = epact + fill - 7 * late + 114
  return dayNumber(year, Math.floor(total / 31), (total % 31) + 1)
}

/** Remainder with the sign of the divisor. */
export const modulo = (value: number, divisor: number): number => ((value % divisor) + divisor) % divisor

const isLeap = (year: number) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0

function firstWeek(year: number, weekStart: number): number {
  const fourth = dayNumber(year, 1, 4)
  return fourth - modulo(weekdayOf(fourth) - weekStart, 7)
}
