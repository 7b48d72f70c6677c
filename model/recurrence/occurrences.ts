import { daySeconds } from './calendar.ts'
import { Effort, expand } from './expand.ts'
import type { Recurrence } from './parse.ts'
import type { Rule, WallTime } from './rule.ts'
import { instantOf, wallTime } from './zone.ts'

/** More than any rule needs that checkRecurrence lets pass. */
const ample = () => new Effort(3_000_000)
/** Occurrences in a row that exceptions may take away before the schedule counts as ended. */
const patience = 100_000

/**
 * The instants (seconds since 1970) of a recurrence that lie after `after`, in order. Times that clocks jump over do not happen; of times that they show twice
 * the first one does.
 */
export function* occurrencesAfter(recurrence: Recurrence, after: number, effort: Effort = ample()): Generator<number> {
  const { zone, rules, exceptions, start } = recurrence
  // Clocks that are put back make the wall run behind: what is on it before `from` is in the past for certain.
  const from = Number.isFinite(after) ? wallTime(zone, after) - daySeconds : start
  const excluded = new Merged(exceptions.map((rule) => placed(rule, recurrence, from, effort)))
  const merged = new Merged(rules.map((rule) => placed(rule, recurrence, from, effort)))
  let skipped = 0
  for (let wall = merged.next(); wall !== undefined; wall = merged.next()) {
    if (skipped++ > patience) return
    while (excluded.head !== undefined && excluded.head < wall) excluded.next()
    if (excluded.head === wall) continue
    const instant = instantOf(zone, wall)
    if (instant === null || instant <= after) continue
    skipped = 0
    yield instant
  }
}

/** The first `count` instants after `after`. */
export function nextOccurrences(recurrence: Recurrence, after: number, count: number, effort?: Effort): number[] {
  const found: number[] = []
  for (const instant of occurrencesAfter(recurrence, after, effort)) {
    if (found.push(instant) >= count) break
  }
  return found
}

/** Whether something happens at this instant. */
export const occursAt = (recurrence: Recurrence, instant: number): boolean =>
  nextOccurrences(recurrence, instant - 1, 1)[0] === instant

/** The first instant of all, or null if nothing ever happens. */
export const firstOccurrence = (recurrence: Recurrence, effort?: Effort): number | null =>
  nextOccurrences(recurrence, Number.NEGATIVE_INFINITY, 1, effort)[0] ?? null

/** The last instant of all; null if there is none, be it that a rule has no end. */
export function lastOccurrence(recurrence: Recurrence, effort: Effort = ample()): number | null {
  if (recurrence.rules.some(({ until, count }) => until === null && count === null)) return null
  const end = Math.max(...recurrence.rules.map((rule) => lastOfRule(rule, recurrence, effort)))
  if (!Number.isFinite(end)) return null
  // From the end backwards in growing steps, so that a rule of many occurrences is not told from its beginning.
  const begin = recurrence.start - 2 * daySeconds
  for (let days = 2; ; days *= 16) {
    const from = Math.max(end - days * daySeconds, begin)
    let last: number | null = null
    for (const instant of occurrencesAfter(recurrence, from, effort)) last = instant
    if (last !== null || from === begin || effort.exhausted) return last
  }
}

/** A bound for the last instant of a rule that ends. */
function lastOfRule(rule: Rule, { start, zone }: Recurrence, effort: Effort): number {
  if (rule.until !== null) return rule.until
  let last = Number.NEGATIVE_INFINITY
  const all = { from: start, to: Number.POSITIVE_INFINITY }
  for (const wall of expand(rule, start, all, effort)) last = wall
  return Number.isFinite(last) ? (instantOf(zone, last) ?? last) + daySeconds : last
}

/** A rule's times up to its UNTIL. */
function* placed(rule: Rule, { start, zone }: Recurrence, from: WallTime, effort: Effort): Generator<WallTime> {
  const { until } = rule
  const end = until === null ? Number.POSITIVE_INFINITY : wallTime(zone, until) + daySeconds
  for (const wall of expand(rule, start, { from, to: end }, effort)) {
    if (until !== null && wall > end - 2 * daySeconds && (instantOf(zone, wall) ?? wall) > until) continue
    yield wall
  }
}

/** Several ordered sources as one, without doubles. */
class Merged {
  readonly #sources: Generator<number>[]
  readonly #heads: (number | undefined)[]

  constructor(sources: Generator<number>[]) {
    this.#sources = sources
    this.#heads = sources.map((source) => source.next().value as number | undefined)
  }

  /** What `next` is going to give. */
  get head(): number | undefined {
    let head: number | undefined
    for (const candidate of this.#heads) {
      if (candidate !== undefined && (head === undefined || candidate < head)) head = candidate
    }
    return head
  }

  next(): number | undefined {
    const { head } = this
    if (head === undefined) return undefined
    this.#heads.forEach((candidate, index) => {
      if (candidate === head) this.#heads[index] = this.#sources[index]?.next().value as number | undefined
    })
    return head
  }
}
