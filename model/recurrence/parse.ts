import { dayNumber, daySeconds, monthLength } from './calendar.ts'
import { parseRule } from './parse-rule.ts'
import { RecurrenceError, type Rule, type WallTime } from './rule.ts'
import { instantOf } from './zone.ts'
import { isTimeZone } from './zone-names.ts'

/** A parsed `rrule` of a schedule: when its rules let something happen. */
export interface Recurrence {
  start: WallTime
  /** IANA's name as it was written; UTC for `DTSTART:…Z`. */
  zone: string
  rules: Rule[]
  /** What they name does not happen. */
  exceptions: Rule[]
}

/** Rules of one schedule. AWX knows no limit; each costs time at every look at the schedule. */
const mostRules = 50

/** Parses `DTSTART…  RRULE:… [RRULE:…] [EXRULE:…]` with blanks between the parts, as AWX stores it. Throws RecurrenceError. */
export function parseRecurrence(text: string): Recurrence {
  const lines = splitLines(text)
  let start: { wall: WallTime; zone: string | null } | undefined
  const rules: string[] = []
  const exceptions: string[] = []
  for (const { name, parameters, value } of lines) {
    if (name === 'DTSTART') start = parseStart(parameters, value, text)
    else if (name === 'RRULE' || name === 'EXRULE') {
      const [parameter] = parameters
      if (parameter !== undefined) throw new RecurrenceError(`unsupported ${name} parm: ${parameter}`)
      ;(name === 'RRULE' ? rules : exceptions).push(value)
    } else throw new RecurrenceError(`unsupported property: ${name}`)
  }
  if (rules.length + exceptions.length > mostRules) throw new RecurrenceError(`more than ${mostRules} rules`)
  const parsed = { wall: start?.wall ?? 0, zone: start?.zone ?? null }
  const parse = (value: string) => parseRule(value, parsed.wall, (until) => untilInstant(until, parsed.zone))
  const result = { start: parsed.wall, rules: rules.map(parse), exceptions: exceptions.map(parse) }
  if (parsed.zone === null) throw new RecurrenceError('A valid TZID must be provided (e.g., America/New_York)')
  return { ...result, zone: parsed.zone }
}

/** The text as AWX stores it: single blanks, and an UNTIL without zone, which means DTSTART's, as UTC. Throws RecurrenceError. */
export function normalizeRecurrence(text: string): string {
  const { zone } = parseRecurrence(text)
  return text
    .split(/\s+/)
    .map((line) =>
      line.replace(/(UNTIL=)(\d+T\d+)(Z?)/i, (whole, name: string, time: string, utc: string) =>
        utc ? whole : `${name}${compact(untilInstant(time, zone))}`,
      ),
    )
    .join(' ')
}

/** `20300101T000000Z`. */
const compact = (instant: number) => `${new Date(instant * 1000).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`

function splitLines(text: string): { name: string; parameters: string[]; value: string }[] {
  if (text.trim() === '') throw new RecurrenceError('empty string')
  return text
    .toUpperCase()
    .split(/\s+/)
    .filter((line) => line !== '')
    .map((line) => {
      const colon = line.indexOf(':')
      const [name = '', ...parameters] = (colon < 0 ? 'RRULE' : line.slice(0, colon)).split(';')
      return { name, parameters, value: line.slice(colon + 1) }
    })
}

function parseStart(parameters: string[], value: string, text: string): { wall: WallTime; zone: string | null } {
  let zone: string | null = null
  for (const parameter of parameters) {
    if (parameter.startsWith('TZID=')) zone = namedZone(text)
    else if (parameter !== 'VALUE=DATE-TIME' && parameter !== 'VALUE=DATE') {
      throw new RecurrenceError(`unsupported parm: ${parameter}`)
    }
  }
  if (value.includes(',')) throw new RecurrenceError(`Multiple DTSTART values specified:${value}`)
  const { wall, utc } = parseTime(value)
  if (utc && zone !== null) throw new RecurrenceError('DTSTART/EXDATE specifies multiple timezone')
  return { wall, zone: utc ? 'UTC' : zone }
}

/** Names of zones keep their case, which the rest of the text does not. */
function namedZone(text: string): string | null {
  const name = /TZID=([^:;]+)[:;]/i.exec(text)?.[1] ?? ''
  return isTimeZone(name) ? name : null
}

/** The instant that an UNTIL names. Without a zone of its own it is on the wall of DTSTART. */
function untilInstant(value: string, zone: string | null): number {
  const { wall, utc } = parseTime(value)
  if (utc || zone === null) return wall
  // A time that clocks jump over lies as far after the jump as it was meant after its beginning.
  return instantOf(zone, wall) ?? (instantOf(zone, wall + 3600) ?? wall) - 3600
}

function parseTime(value: string): { wall: WallTime; utc: boolean } {
  const parts = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?)?(Z?)$/.exec(value)
  if (!parts) throw new RecurrenceError(`Unknown string format: ${value}`)
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((part) => Number(part ?? 0))
  const wrong = (problem: string) => new RecurrenceError(`${problem}: ${value}`)
  if (year < 1) throw wrong('year 0 is out of range')
  if (month < 1 || month > 12) throw wrong('month must be in 1..12')
  if (day < 1 || day > monthLength(year, month)) throw wrong('day is out of range for month')
  if (hour > 23) throw wrong('hour must be in 0..23')
  if (minute > 59) throw wrong('minute must be in 0..59')
  if (second > 59) throw wrong('second must be in 0..59')
  return { wall: dayNumber(year, month, day) * daySeconds + hour * 3600 + minute * 60 + second, utc: parts[7] === 'Z' }
}
