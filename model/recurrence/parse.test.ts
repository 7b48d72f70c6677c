import { expect, test } from 'vitest'
import { normalizeRecurrence, parseRecurrence } from './parse.ts'
import { toLocalText } from './zone.ts'
import { isTimeZone, timeZoneLinks, timeZones } from './zone-names.ts'

test('an UNTIL without a zone is on the wall of DTSTART, and stored as UTC', () => {
  expect(
    normalizeRecurrence(
      'DTSTART;TZID=America/New_York:20180502T150000 RRULE:FREQ=HOURLY;INTERVAL=1;UNTIL=20180502T180000',
    ),
  ).toBe('DTSTART;TZID=America/New_York:20180502T150000 RRULE:FREQ=HOURLY;INTERVAL=1;UNTIL=20180502T220000Z')
})

test('blanks between the parts become one; an UNTIL in UTC stays as it was written', () => {
  expect(normalizeRecurrence('DTSTART:20300101T000000Z\nRRULE:FREQ=DAILY;INTERVAL=1;UNTIL=20310101T000000Z')).toBe(
    'DTSTART:20300101T000000Z RRULE:FREQ=DAILY;INTERVAL=1;UNTIL=20310101T000000Z',
  )
})

test('the zone is the name that was written, a link too', () => {
  expect(parseRecurrence('DTSTART;TZID=Asia/Calcutta:20300101T000000 RRULE:FREQ=DAILY;INTERVAL=1').zone).toBe(
    'Asia/Calcutta',
  )
  expect(parseRecurrence('DTSTART:20300101T000000Z RRULE:FREQ=DAILY;INTERVAL=1').zone).toBe('UTC')
  expect(() => parseRecurrence('DTSTART;TZID=europe/berlin:20300101T000000 RRULE:FREQ=DAILY;INTERVAL=1')).toThrow(
    'A valid TZID must be provided',
  )
})

test('every zone has a clock, and every link leads to a zone', () => {
  for (const zone of timeZones) expect(toLocalText(zone, 0)).toMatch(/^19(69|70)-/)
  expect(Object.values(timeZoneLinks).every(isTimeZone)).toBe(true)
  expect(timeZones.length).toBeGreaterThan(550)
})

test('instants are written with the offset of their zone', () => {
  const instant = Date.parse('2029-12-31T23:00:00Z') / 1000
  expect(toLocalText('Europe/Berlin', instant)).toBe('2030-01-01T00:00:00+01:00')
  expect(toLocalText('America/St_Johns', instant)).toBe('2029-12-31T19:30:00-03:30')
  expect(toLocalText('Europe/London', instant)).toBe('2029-12-31T23:00:00Z')
})
