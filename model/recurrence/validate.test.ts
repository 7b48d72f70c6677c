import { describe, expect, test } from 'vitest'
import { checkRecurrence } from './validate.ts'

const now = Date.parse('2026-11-21T12:00:00Z') / 1000
const check = (text: string) => {
  const result = checkRecurrence(text, now)
  return result.ok ? [] : result.errors
}
const start = 'DTSTART:20300101T000000Z'

describe('what a real AWX answered', () => {
  test.each([
    [
      'nonsense',
      'Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ',
      'One or more rule required in rrule.',
      'rrule parsing failed validation: not enough values to unpack (expected 2, got 1)',
    ],
    [
      'RRULE:FREQ=DAILY;INTERVAL=1',
      'Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ',
      'rrule parsing failed validation: A valid TZID must be provided (e.g., America/New_York)',
    ],
    [start, 'One or more rule required in rrule.'],
    [
      'DTSTART:20300101T000000 RRULE:FREQ=DAILY;INTERVAL=1',
      'DTSTART cannot be a naive datetime.  Specify ;TZINFO= or YYYYMMDDTHHMMSSZZ.',
      'rrule parsing failed validation: A valid TZID must be provided (e.g., America/New_York)',
    ],
    [`${start} RRULE:FREQ=DAILY`, 'INTERVAL required in rrule: RULE:FREQ=DAILY'],
    [`${start} RRULE:FREQ=SECONDLY;INTERVAL=1`, 'SECONDLY is not supported: RULE:FREQ=SECONDLY;INTERVAL=1'],
    [
      `${start} RRULE:FREQ=DAILY;INTERVAL=1;COUNT=2;UNTIL=20310101T000000Z`,
      'RRULE may not contain both COUNT and UNTIL: RULE:FREQ=DAILY;INTERVAL=1;COUNT=2;UNTIL=20310101T000000Z',
    ],
    [
      `${start} RRULE:FREQ=DAILY;INTERVAL=1;COUNT=5000`,
      'COUNT > 999 is unsupported: RULE:FREQ=DAILY;INTERVAL=1;COUNT=5000',
    ],
    [`${start} DTSTART:20300102T000000Z RRULE:FREQ=DAILY;INTERVAL=1`, 'Multiple DTSTART is not supported.'],
    [`${start} RRULE:FREQ=DAILY;INTERVAL=1 EXDATE:20300102T000000Z`, 'EXDATE not allowed in rrule.'],
    [
      'DTSTART;TZID=No/Where:20300101T000000 RRULE:FREQ=DAILY;INTERVAL=1',
      'rrule parsing failed validation: A valid TZID must be provided (e.g., America/New_York)',
    ],
    [`${start} RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=XX`, "rrule parsing failed validation: invalid 'BYDAY': XX"],
  ])('%s', (text, ...errors) => expect(check(text)).toEqual(errors))
})

describe('what python-dateutil says', () => {
  test.each([
    ['FREQ=NEVER;INTERVAL=1', "invalid 'FREQ': NEVER"],
    ['INTERVAL=1', "rrule.__init__() missing 1 required positional argument: 'freq'"],
    ['FREQ=DAILY;INTERVAL=x', "invalid 'INTERVAL': X"],
    ['FREQ=DAILY;INTERVAL=1;BYSETPOS=0', 'bysetpos must be between 1 and 366, or between -366 and -1'],
    ['FREQ=DAILY;INTERVAL=1;BYHOUR=24', 'hour must be in 0..23'],
    ['FREQ=DAILY;INTERVAL=1;COLOUR=2', "unknown parameter 'COLOUR'"],
    ['FREQ=HOURLY;INTERVAL=2;BYHOUR=3', 'Invalid rrule byxxx generates an empty set.'],
  ])('%s', (rule, error) =>
    expect(check(`${start} RRULE:${rule}`)).toEqual([`rrule parsing failed validation: ${error}`]),
  )
})

describe('what would never come to rest', () => {
  const often = 'Runs more often than once a minute are not supported: leave BYSECOND out or name one second.'

  test('every second, with or without an end', () => {
    const seconds = Array.from({ length: 60 }, (_, second) => second).join(',')
    expect(check(`${start} RRULE:FREQ=MINUTELY;INTERVAL=1;BYSECOND=${seconds}`)).toEqual([often])
    expect(check(`${start} rrule:freq=secondly;interval=1`)).toEqual([often])
    expect(check(`${start} RRULE:FREQ=MINUTELY;INTERVAL=1;BYSECOND=0,30`)).toEqual([often])
    expect(check(`${start} RRULE:FREQ=MINUTELY;INTERVAL=1 RRULE:FREQ=MINUTELY;INTERVAL=1;BYSECOND=9`)).toEqual([often])
  })

  test('every minute, and twice within a minute once a day, are fine', () => {
    expect(check(`${start} RRULE:FREQ=MINUTELY;INTERVAL=1`)).toEqual([])
    expect(check(`${start} RRULE:FREQ=DAILY;INTERVAL=1;BYSECOND=0,30`)).toEqual([])
  })

  test('an interval of nothing', () => {
    expect(check(`${start} RRULE:FREQ=DAILY;INTERVAL=0`)).toEqual([
      'rrule parsing failed validation: INTERVAL must be 1 or more',
    ])
  })

  test('a rule that matches no day is no error, but ends soon; so does one of each half century', () => {
    expect(check(`${start} RRULE:FREQ=MINUTELY;INTERVAL=1;BYMONTH=2;BYMONTHDAY=30`)).toEqual([])
    expect(check(`${start} RRULE:FREQ=YEARLY;INTERVAL=1;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO`)).toEqual([])
    expect(check(`${start} RRULE:FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=31;COUNT=999`)).toEqual([])
  })

  test.each([
    `${start}${' RRULE:FREQ=MINUTELY;INTERVAL=1;BYMONTH=2;BYMONTHDAY=30'.repeat(50)}`,
    `${start} RRULE:FREQ=MINUTELY;INTERVAL=1 EXRULE:FREQ=MINUTELY;INTERVAL=1`,
    `${start} RRULE:FREQ=MINUTELY;INTERVAL=1;UNTIL=99990101T000000Z EXRULE:FREQ=MINUTELY;INTERVAL=1`,
    `${start}${' RRULE:FREQ=MINUTELY;INTERVAL=1;BYMONTH=2;BYMONTHDAY=29;BYHOUR=3;BYDAY=MO;BYMINUTE=1;COUNT=999'.repeat(50)}`,
    `${start} RRULE:FREQ=HOURLY;INTERVAL=1;BYMONTH=2;BYMONTHDAY=30;COUNT=9${' RRULE:FREQ=DAILY;INTERVAL=1;BYMONTH=4;BYMONTHDAY=31;UNTIL=99990101T000000Z'.repeat(9)}`,
  ])('what takes too long to find out: %s', (text) => {
    expect(check(text)).toEqual([
      'It takes too long to find out when this runs: use fewer rules, or rules that match more often.',
    ])
  })

  test('more rules and a longer text than any schedule has', () => {
    expect(check(`${start}${' RRULE:FREQ=DAILY;INTERVAL=1'.repeat(51)}`)).toEqual([
      'rrule parsing failed validation: more than 50 rules',
    ])
    expect(check(`${start} RRULE:FREQ=DAILY;INTERVAL=1;BYDAY=${'MO,'.repeat(5000)}TU`)).toEqual([
      'Ensure this field has no more than 10000 characters.',
    ])
  })
})
