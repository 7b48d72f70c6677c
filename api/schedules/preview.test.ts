import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestApp, type TestApp } from '../testing.ts'
import { list } from './testing.ts'

let app: TestApp
beforeAll(async () => {
  app = await openTestApp()
})
afterAll(() => app.close())

describe('preview and zones', () => {
  const preview = async (rrule: unknown) => (await app.call('POST', `${list}preview/`, { rrule })).body

  test('ten runs at most, in the zone and in UTC; what clocks jump over is left out', async () => {
    const body = await preview('DTSTART;TZID=Europe/Berlin:20270326T023000 RRULE:FREQ=DAILY;INTERVAL=1')
    expect(body.utc).toHaveLength(10)
    expect(body.local.slice(0, 4)).toEqual([
      '2027-03-26T02:30:00+01:00',
      '2027-03-27T02:30:00+01:00',
      '2027-03-29T02:30:00+02:00',
      '2027-03-30T02:30:00+02:00',
    ])
    expect(body.utc.slice(1, 3)).toEqual(['2027-03-27T01:30:00Z', '2027-03-29T00:30:00Z'])
  })

  test('complaints about the body', async () => {
    expect((await app.call('POST', `${list}preview/`, {})).body).toEqual({ rrule: ['This field is required.'] })
    expect(await preview('')).toEqual({ rrule: ['This field may not be blank.'] })
    expect(await preview('nonsense')).toEqual({
      rrule: [
        'Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ',
        'One or more rule required in rrule.',
        'rrule parsing failed validation: not enough values to unpack (expected 2, got 1)',
      ],
    })
    expect((await app.call('GET', `${list}preview/`)).status).toBe(405)
  })

  test('names of zones and their links', async () => {
    const { body } = await app.call('GET', `${list}zoneinfo/`)
    expect(body.zones.slice(0, 3)).toEqual(['Africa/Abidjan', 'Africa/Accra', 'Africa/Addis_Ababa'])
    expect(body.links['Africa/Asmara']).toBe('Africa/Addis_Ababa')
  })
})
