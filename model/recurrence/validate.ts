import { Effort } from './expand.ts'
import { firstOccurrence, lastOccurrence, occurrencesAfter } from './occurrences.ts'
import { parseRecurrence, type Recurrence } from './parse.ts'
import { RecurrenceError } from './rule.ts'

/** A text longer than this is no schedule; AWX knows no limit. */
const longest = 10_000
/** What finding out when a schedule runs may cost: well below a second. A rule that never matches costs half of it. */
const mostEffort = 300_000
/** Runs in a row that must not follow each other faster than one a minute. */
const burst = 61
/** How far behind the next run such bursts are looked for, in seconds. */
const horizon = 370 * 86_400

/** A checked recurrence, or all that is wrong with it in AWX's words. */
export type RecurrenceCheck = { ok: true; recurrence: Recurrence } | { ok: false; errors: string[] }

/**
 * Checks an `rrule` as AWX does, plus one rule that AWX lacks: nothing runs more often than once a minute for long, which SECONDLY is refused for but
 * BYSECOND would allow. `now` in seconds since 1970.
 */
export function checkRecurrence(text: string, now: number): RecurrenceCheck {
  if (text.length > longest) return { ok: false, errors: [`Ensure this field has no more than ${longest} characters.`] }
  const lower = text.toLowerCase()
  // AWX tells nothing else about these.
  for (const name of ['exdate', 'rdate']) {
    if (lower.includes(`${name}:`)) return { ok: false, errors: [`${name.toUpperCase()} not allowed in rrule.`] }
  }
  const errors = [...startErrors(text)]
  if (!lower.includes('rrule:')) errors.push('One or more rule required in rrule.')
  errors.push(...[...text.matchAll(/RULE:\S*/g)].flatMap(([rule]) => ruleErrors(rule)))
  try {
    const recurrence = parseRecurrence(text)
    const effort = new Effort(mostEffort)
    const often = errors.length === 0 && runsTooOften(recurrence, now, effort)
    if (errors.length === 0 && isTooCostly(recurrence, effort)) {
      errors.push('It takes too long to find out when this runs: use fewer rules, or rules that match more often.')
    }
    if (often) {
      errors.push('Runs more often than once a minute are not supported: leave BYSECOND out or name one second.')
    }
    if (errors.length === 0) return { ok: true, recurrence }
  } catch (error) {
    if (!(error instanceof RecurrenceError)) throw error
    errors.push(`rrule parsing failed validation: ${error.message}`)
  }
  return { ok: false, errors }
}

function startErrors(text: string): string[] {
  const errors: string[] = []
  const starts = [...text.matchAll(/DTSTART(;[^:]+)?:\d+T\d+Z?/g)]
  if (starts.length === 0) {
    errors.push('Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ')
  }
  if (/DTSTART:\d+T\d+ /.test(text)) {
    errors.push('DTSTART cannot be a naive datetime.  Specify ;TZINFO= or YYYYMMDDTHHMMSSZZ.')
  }
  if (starts.length > 1) errors.push('Multiple DTSTART is not supported.')
  return errors
}

/** `rule` begins with `RULE:`, also where it is an EXRULE. */
function ruleErrors(rule: string): string[] {
  const problems: string[] = []
  const lower = rule.toLowerCase()
  if (!lower.includes('interval')) problems.push('INTERVAL required in rrule')
  else if (lower.includes('secondly')) problems.push('SECONDLY is not supported')
  if (/BYDAY[:=]\d+[a-zA-Z]{2}/.test(rule)) problems.push('BYDAY with numeric prefix not supported')
  if (rule.includes('COUNT') && rule.includes('UNTIL')) problems.push('RRULE may not contain both COUNT and UNTIL')
  if (Number(/COUNT=(\d+)/.exec(rule)?.[1] ?? 0) > 999) problems.push('COUNT > 999 is unsupported')
  return problems.map((problem) => `${problem}: ${rule}`)
}

function isTooCostly(recurrence: Recurrence, effort: Effort): boolean {
  firstOccurrence(recurrence, effort)
  lastOccurrence(recurrence, effort)
  return effort.exhausted
}

function runsTooOften(recurrence: Recurrence, now: number, effort: Effort): boolean {
  const next: number[] = []
  for (const instant of occurrencesAfter(recurrence, now, effort)) {
    const begin = next[next.length - burst + 1]
    if (begin !== undefined && instant - begin < (burst - 1) * 60) return true
    if (next.push(instant) >= 2 * burst || instant - (next[0] ?? 0) > horizon) return false
  }
  return false
}
