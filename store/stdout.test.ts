import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EventRow } from '../model/event.ts'
import type { Store } from './database.ts'
import { packEvents } from './event-rows.ts'
import { appendEvents } from './events.ts'
import { type LineRange, readStdout, stdoutSize } from './stdout.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeAttempt, makeEvent } from './testing-data.ts'

describe.each(storeKinds)('output on %s', (kind) => {
  let store: Store
  beforeAll(async () => {
    store = await testStore(kind)
  })
  afterAll(() => store.close())

  /** Stores events and returns the job's id. */
  async function output(...batches: EventRow[][]): Promise<number> {
    const attempt = await makeAttempt(store.db)
    const owned = { attemptId: attempt.id, runId: attempt.runId, jobId: attempt.jobId }
    for (const [index, events] of batches.entries()) {
      await appendEvents(store, {
        ...owned,
        fromOffset: index,
        toOffset: index + 1,
        events: [packEvents(attempt.jobId, events)],
      })
    }
    return attempt.jobId
  }

  async function read(jobId: number, range?: LineRange): Promise<string> {
    const pieces: Buffer[] = []
    for await (const piece of readStdout(store.db, jobId, range)) pieces.push(piece)
    return Buffer.concat(pieces).toString('latin1')
  }

  /** Events as the runner makes them: empty ones, several lines in one, a last one without line end. */
  const typical = () => [
    makeEvent(1, { stdout: '', startLine: 0, endLine: 0 }),
    makeEvent(2, { stdout: '\r\nPLAY [all] ***', startLine: 0, endLine: 2 }),
    makeEvent(3, { stdout: 'ok: {\r\n  "a": 1\r\n}', startLine: 2, endLine: 5 }),
    makeEvent(4, { stdout: '', startLine: 5, endLine: 5 }),
    makeEvent(5, { stdout: '', startLine: 5, endLine: 6 }),
    makeEvent(6, { stdout: 'no line end', startLine: 6, endLine: 6 }),
  ]
  const whole = '\r\nPLAY [all] ***\r\nok: {\r\n  "a": 1\r\n}\r\n\r\nno line end'

  test('is what the runner wrote', async () => {
    const jobId = await output(typical())
    expect(await read(jobId)).toBe(whole)
    expect(await stdoutSize(store.db, jobId)).toEqual({ lines: 6, bytes: whole.length })
    expect(await read(await output())).toBe('')
    expect(await stdoutSize(store.db, await output())).toEqual({ lines: 0, bytes: 0 })
  })

  test('any range of lines is what a cut of the whole gives', async () => {
    const jobId = await output(typical())
    const lines = whole.split('\n').map((line, index, all) => (index < all.length - 1 ? `${line}\n` : line))
    for (let startLine = 0; startLine <= 7; startLine++)
      for (let endLine = startLine; endLine <= 7; endLine++)
        expect([startLine, endLine, await read(jobId, { startLine, endLine })]).toEqual([
          startLine,
          endLine,
          lines.slice(startLine, endLine).join(''),
        ])
  })

  test('bytes that are no text come back exactly', async () => {
    const raw = Buffer.from([0xff, 0x00, 0x0a, 0x80])
    const jobId = await output([
      makeEvent(1, { stdout: 'shown', stdoutRaw: raw, startLine: 0, endLine: 2 }),
      makeEvent(2, { stdout: 'ümlaut', startLine: 2, endLine: 3 }),
    ])
    expect(await read(jobId)).toBe(`${raw.toString('latin1')}\r\n${Buffer.from('ümlaut').toString('latin1')}\r\n`)
    expect(await read(jobId, { startLine: 1, endLine: 2 })).toBe('\x80\r\n')
    expect((await stdoutSize(store.db, jobId)).bytes).toBe(4 + 2 + 7 + 2)
  })

  test('is read page by page, in bounded pieces, also with 10 MB lines in it', async () => {
    const big = 'x'.repeat(10_000_000)
    const events = Array.from({ length: 4_500 }, (_, index) => makeEvent(index + 1))
    const jobId = await output(events, [
      makeEvent(4_501, { stdout: big }),
      makeEvent(4_502, { stdout: big }),
      makeEvent(4_503),
    ])
    let length = 0
    let longest = 0
    for await (const piece of readStdout(store.db, jobId)) {
      length += piece.length
      longest = Math.max(longest, piece.length)
    }
    expect(length).toBe((await stdoutSize(store.db, jobId)).bytes)
    expect(longest).toBeLessThan(13_000_000)
    expect(await read(jobId, { startLine: 4_499, endLine: 4_500 })).toBe('line 4500\r\n')
    expect(await read(jobId, { startLine: 4_502 })).toBe('line 4503\r\n')
  })
})
