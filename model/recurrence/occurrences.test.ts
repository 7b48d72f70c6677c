import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { firstOccurrence, lastOccurrence, nextOccurrences, occursAt } from './occurrences.ts'
import { parseRecurrence } from './parse.ts'

interface Case {
  rrule: string
  after: number
  next: number[]
  first: number | null
  last: number | null
}

/** Made with python-dateutil by fixtures/make.py. */
const cases: Case[] = JSON.parse(readFileSync(new URL('fixtures/dateutil.json', import.meta.url), 'utf8'))

const texts = (recurrence: string, after: string, count: number) =>
  nextOccurrences(parseRecurrence(recurrence), Date.parse(after) / 1000, count).map((instant) =>
    new Date(instant * 1000).toISOString().slice(0, 16),
  )

describe('as python-dateutil tells it', () => {
  test.each(cases)('$rrule', ({ rrule, after, next, first, last }) => {
    const recurrence = parseRecurrence(rrule)
    expect(nextOccurrences(recurrence, after, 8)).toEqual(next)
    expect(firstOccurrence(recurrence)).toBe(first)
    expect(lastOccurrence(recurrence)).toBe(last)
    for (const instant of next) expect(occursAt(recurrence, instant)).toBe(true)
    expect(occursAt(recurrence, (next[0] ?? after) + 1)).toBe(next[1] === (next[0] ?? 0) + 1)
  })
})

describe('by hand', () => {
  test('a time that clocks jump over does not happen, but counts', () => {
    const rule = 'DTSTART;TZID=Europe/Berlin:20260328T023000 RRULE:FREQ=DAILY;INTERVAL=1;COUNT=3'
    expect(texts(rule, '2026-03-01T00:00:00Z', 9)).toEqual(['2026-03-28T01:30', '2026-03-30T00:30'])
  })

  test('a time that clocks show twice happens once, the first time', () => {
    const rule = 'DTSTART;TZID=Europe/Berlin:20261024T023000 RRULE:FREQ=DAILY;INTERVAL=1'
    expect(texts(rule, '2026-10-24T00:00:00Z', 3)).toEqual(['2026-10-24T00:30', '2026-10-25T00:30', '2026-10-26T01:30'])
    expect(texts(rule, '2026-10-25T00:30:00Z', 1)).toEqual(['2026-10-26T01:30'])
  })

  test('daylight saving time goes on after 2037, which AWX does not know', () => {
    const rule = 'DTSTART;TZID=America/New_York:20450601T120000 RRULE:FREQ=MONTHLY;INTERVAL=6;COUNT=2'
    expect(texts(rule, '2026-01-01T00:00:00Z', 2)).toEqual(['2045-06-01T16:00', '2045-12-01T17:00'])
  })

  test('leap days', () => {
    const rule = 'DTSTART:20240229T060000Z RRULE:FREQ=YEARLY;INTERVAL=1'
    expect(texts(rule, '2026-01-01T00:00:00Z', 2)).toEqual(['2028-02-29T06:00', '2032-02-29T06:00'])
    expect(texts(rule, '2099-01-01T00:00:00Z', 1)).toEqual(['2104-02-29T06:00'])
  })

  test('an interval that does not divide the day keeps its step over the years', () => {
    const rule = 'DTSTART:20100101T003000Z RRULE:FREQ=HOURLY;INTERVAL=5'
    const first = Date.parse('2010-01-01T00:30:00Z')
    for (const text of texts(rule, '2026-05-05T00:00:00Z', 5)) {
      expect((Date.parse(`${text}Z`) - first) % (5 * 3_600_000)).toBe(0)
    }
  })

  test('a rule by the minute that began long ago costs nothing', () => {
    const recurrence = parseRecurrence('DTSTART;TZID=Asia/Tokyo:19700101T000000 RRULE:FREQ=MINUTELY;INTERVAL=7')
    expect(nextOccurrences(recurrence, Date.parse('2026-01-01') / 1000, 10)).toHaveLength(10)
  })

  test('an end in the far future is told from there, not from the beginning', () => {
    const recurrence = parseRecurrence('DTSTART:20200101T000000Z RRULE:FREQ=MINUTELY;INTERVAL=7;UNTIL=99980101T000000Z')
    expect((Date.parse('9998-01-01') / 1000 - (lastOccurrence(recurrence) ?? 0)) / 60).toBeLessThan(7)
  })
})
