import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TestApp } from '../testing.ts'
import { SchedulesApp } from './testing.ts'

let made: SchedulesApp
let app: TestApp
beforeAll(async () => {
  made = await SchedulesApp.open()
  app = made.app
})
afterAll(() => app.close())

describe('backfill', () => {
  test('asks for runs of the past, and shows what becomes of them', async () => {
    const { url } = await made.make({ rrule: 'DTSTART:20261101T000000Z RRULE:FREQ=DAILY;INTERVAL=1' })
    const answer = await app.call('POST', `${url}backfill/`, {
      start: '2026-11-03T00:00:00Z',
      end: '2026-11-04T23:00:00Z',
    })
    expect(answer).toMatchObject({
      status: 202,
      body: { due: 2, runs: ['2026-11-03T00:00:00Z', '2026-11-04T00:00:00Z'] },
    })
    const runs = (await app.call('GET', `${url}runs/`)).body
    expect(runs.results.map((run: Record<string, unknown>) => [run.instant, run.origin, run.state])).toEqual([
      ['2026-11-04T00:00:00Z', 'backfill', 'due'],
      ['2026-11-03T00:00:00Z', 'backfill', 'due'],
    ])
  })

  test.each([
    [{}, { start: ['This field is required.'], end: ['This field is required.'] }],
    [
      { start: '2026-11-03', end: 7 },
      {
        start: ['Give a date and time with its zone, such as 2030-01-31T18:00:00Z.'],
        end: ['Give a date and time with its zone, such as 2030-01-31T18:00:00Z.'],
      },
    ],
    [
      { start: '2026-11-03T00:00:00Z', end: '2027-11-03T00:00:00Z' },
      { end: ['This lies in the future: only runs of the past can be made up for.'] },
    ],
    [{ start: '2026-11-03T00:00:00Z', end: '2026-11-02T00:00:00Z' }, { start: ['This must not be later than end.'] }],
  ])('%j is refused', async (body, errors) => {
    const { url } = await made.make()
    expect(await app.call('POST', `${url}backfill/`, body)).toMatchObject({ status: 400, body: errors })
  })
})
