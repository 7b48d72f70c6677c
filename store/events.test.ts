import { asc, eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { EventRow } from '../model/event.ts'
import { getAttempt } from './attempts.ts'
import { type AttemptRow, takeOverAttempts } from './claims.ts'
import type { Store } from './database.ts'
import { type PackedEvents, packEvents } from './event-rows.ts'
import { appendEvents, OutputConflictError, StaleOffsetError } from './events.ts'
import { FencedError } from './fence.ts'
import { restartJob } from './job-status.ts'
import { jobEvents, unifiedJobs } from './schema/jobs.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeAttempt, makeEvent } from './testing-data.ts'

describe.each(storeKinds)('storing events on %s', (kind) => {
  let store: Store
  let attempt: AttemptRow
  beforeAll(async () => {
    store = await testStore(kind)
  })
  beforeEach(async () => {
    attempt = await makeAttempt(store.db)
  })
  afterAll(() => store.close())

  const append = (fromOffset: number, toOffset: number, events: EventRow[], runId = 'run-1') =>
    appendEvents(store, {
      attemptId: attempt.id,
      runId,
      jobId: attempt.jobId,
      fromOffset,
      toOffset,
      events: [packEvents(attempt.jobId, events)],
    })
  const stored = () =>
    store.db.select().from(jobEvents).where(eq(jobEvents.jobId, attempt.jobId)).orderBy(asc(jobEvents.counter))
  const job = async () => {
    const [row] = await store.db.select().from(unifiedJobs).where(eq(unifiedJobs.id, attempt.jobId))
    return row
  }

  test('every column comes back as it was, and offset, counter and count move with it', async () => {
    const strange = 'tab\t line\r\nback\\slash \\N quote" \u2028 \u001b[0m emoji 🦟'
    const full: EventRow = {
      counter: 1,
      event: 'runner_on_ok',
      uuid: 'a',
      parentUuid: 'b',
      failed: true,
      changed: true,
      hostId: 7,
      hostName: strange,
      playbook: strange,
      play: strange,
      task: strange,
      role: strange,
      stdout: strange,
      startLine: 3,
      endLine: 5,
      verbosity: 2,
      eventData: { res: { msg: strange, nul: 'a\0b', half: '\udc80', list: [1, null, true] } },
      created: '2026-11-21T10:36:13.990386',
    }
    expect(await append(0, 100, [full, makeEvent(2)])).toEqual({ stored: 2 })
    const [first, second] = await stored()
    expect(first).toMatchObject({ ...full, created: '2026-11-21 10:36:13.990386+00', stdoutRaw: null })
    expect(second).toMatchObject({ hostId: null, stdout: 'line 2', eventData: {} })
    expect(await job()).toMatchObject({ eventsStored: 2 })
    const after = await getAttempt(store.db, attempt.id)
    expect(after).toMatchObject({ offset: 100, lastCounter: 2 })
    expect(after?.firstEventAt).not.toBeNull()
    await append(100, 200, [makeEvent(3)])
    expect((await getAttempt(store.db, attempt.id))?.firstEventAt).toBe(after?.firstEventAt)
    expect(await job()).toMatchObject({ eventsStored: 3 })
  })

  test('NUL and bytes that are no UTF-8 are kept exactly', async () => {
    const raw = Buffer.from([0x00, 0xff, 0x5c, 0x78, 0x0a, 0x80])
    await append(0, 10, [
      makeEvent(1, { stdout: 'a\0b\ud800', task: 'x\0y' }),
      makeEvent(2, { stdout: 'readable', stdoutRaw: raw }),
      makeEvent(3, { stdoutRaw: new Uint8Array() }),
    ])
    const [nul, bytes, empty] = await stored()
    expect(nul).toMatchObject({ stdout: 'a\uFFFDb\uFFFD', task: 'x\uFFFDy' })
    expect(nul?.stdoutRaw?.toString('latin1')).toBe(Buffer.from('a\0b\uFFFD').toString('latin1'))
    expect(bytes?.stdout).toBe('readable')
    expect(bytes?.stdoutRaw?.equals(raw)).toBe(true)
    expect(empty?.stdoutRaw?.length).toBe(0)
  })

  test('few events are stored as many are', async () => {
    const strange = 'tab\t line\r\nback\\slash \\N \\t quote" \u2028 \u001b[0m emoji 🦟 nul\0 half\ud800'
    const told = (counter: number): EventRow => ({
      ...makeEvent(counter, { stdout: strange, task: strange, hostName: '\\N', play: '', hostId: 7, failed: true }),
      ...{
        stdoutRaw: Buffer.from([0x00, 0xff, 0x5c, 0x0a]),
        eventData: { res: { strange, '\0': [null, true, 1e21] } },
      },
      ...{ created: '2026-11-21T10:36:13.990386', startLine: 3, endLine: 5 },
    })
    await append(0, 10, [told(1)])
    const many = Array.from({ length: 60 }, (_, index) => makeEvent(index + 3))
    expect(await append(10, 20, [told(2), ...many])).toEqual({ stored: 61 })
    const [few, other] = await stored()
    expect(few?.stdout).toContain('tab\t line\r\nback\\slash \\N \\t quote')
    expect(other).toEqual({ ...few, id: other?.id, counter: 2, uuid: other?.uuid, modified: other?.modified })
    expect(await job()).toMatchObject({ eventsStored: 62 })
  })

  test('a single line of 10 MB is kept', async () => {
    const line = 'x\\y'.repeat(3_500_000)
    await append(0, 10, [makeEvent(1, { stdout: line, eventData: { res: { stdout: line } } })])
    const [row] = await stored()
    expect(row?.stdout === line).toBe(true)
    expect(JSON.stringify(row?.eventData) === JSON.stringify({ res: { stdout: line } })).toBe(true)
  })

  test('an instant that nobody can read does not hold the output up', async () => {
    await append(0, 10, [makeEvent(1, { created: 'yesterday' }), makeEvent(2, { created: '' })])
    for (const row of await stored()) expect(Date.now() - Date.parse(row.created)).toBeLessThan(60_000)
  })

  test('data that nest without end do not hold the output up', async () => {
    let eventData: Record<string, unknown> = {}
    for (let level = 0; level < 50_000; level++) eventData = { deeper: eventData }
    await append(0, 10, [makeEvent(1, { eventData })])
    expect(await stored()).toMatchObject([{ counter: 1, eventData: {} }])
  })

  test('a batch that begins elsewhere than the store ended is refused, and says where to go on', async () => {
    await append(0, 100, [makeEvent(1)])
    const stale = await append(0, 200, [makeEvent(1), makeEvent(2)]).catch((error: unknown) => error)
    expect(stale).toBeInstanceOf(StaleOffsetError)
    expect(stale).toMatchObject({ storedOffset: 100 })
    await expect(append(150, 200, [makeEvent(2)])).rejects.toBeInstanceOf(StaleOffsetError)
    expect(await stored()).toHaveLength(1)
    expect(await job()).toMatchObject({ eventsStored: 1 })
  })

  test('of two writers at once one stores, the other is told', async () => {
    const outcomes = await Promise.allSettled([append(0, 100, [makeEvent(1)]), append(0, 100, [makeEvent(1)])])
    expect(outcomes.map((outcome) => outcome.status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(outcomes.find((outcome) => outcome.status === 'rejected')?.reason).toBeInstanceOf(StaleOffsetError)
    expect(await stored()).toHaveLength(1)
  })

  test('a run that lost its attempt stores nothing', async () => {
    await append(0, 100, [makeEvent(1)])
    await takeOverAttempts(store.db, { jobId: attempt.jobId, workflowId: 'job', runId: 'run-2' })
    await expect(append(100, 200, [makeEvent(2)])).rejects.toBeInstanceOf(FencedError)
    await expect(append(100, 200, [])).rejects.toBeInstanceOf(FencedError)
    expect(await append(100, 200, [makeEvent(2)], 'run-2')).toEqual({ stored: 1 })
    expect(await stored()).toHaveLength(2)
  })

  test('an event that is stored already is passed over, another one under its counter is not', async () => {
    await append(0, 100, [makeEvent(1), makeEvent(2)])
    expect(await append(100, 200, [makeEvent(2), makeEvent(3), makeEvent(3)])).toEqual({ stored: 1 })
    expect(await job()).toMatchObject({ eventsStored: 3 })
    const conflict = await append(200, 300, [makeEvent(3, { uuid: 'other' }), makeEvent(4)]).catch((e: unknown) => e)
    expect(conflict).toBeInstanceOf(OutputConflictError)
    expect(conflict).toMatchObject({ counter: 3 })
    await expect(append(200, 300, [makeEvent(5), makeEvent(5, { uuid: 'other' })])).rejects.toBeInstanceOf(
      OutputConflictError,
    )
    expect(await stored()).toHaveLength(3)
    expect(await getAttempt(store.db, attempt.id)).toMatchObject({ offset: 200, lastCounter: 3 })
  })

  test('of a batch in several pieces each event is stored once, in order, whatever was stored before', async () => {
    const pieces = (...counters: number[][]) =>
      counters.map((piece) =>
        packEvents(
          attempt.jobId,
          piece.map((counter) => makeEvent(counter, { stdout: `several\nlines\\n of ${counter}` })),
        ),
      )
    const add = (fromOffset: number, toOffset: number, events: PackedEvents[]) =>
      appendEvents(store, { attemptId: attempt.id, runId: 'run-1', jobId: attempt.jobId, fromOffset, toOffset, events })
    expect(await add(0, 1, pieces([1, 2], [], [2, 3], [3, 3, 4]))).toEqual({ stored: 4 })
    expect(await add(1, 2, pieces([4, 5], [1], [6, 2]))).toEqual({ stored: 2 })
    expect(await add(2, 3, pieces([6], [5]))).toEqual({ stored: 0 })
    expect((await stored()).map(({ counter, stdout }) => [counter, stdout])).toEqual(
      [1, 2, 3, 4, 5, 6].map((counter) => [counter, `several\nlines\\n of ${counter}`]),
    )
    expect(await job()).toMatchObject({ eventsStored: 6 })
    expect(await getAttempt(store.db, attempt.id)).toMatchObject({ offset: 3, lastCounter: 6 })
  })

  test('an offset may move without events', async () => {
    expect(await append(0, 50, [])).toEqual({ stored: 0 })
    expect(await getAttempt(store.db, attempt.id)).toMatchObject({ offset: 50, firstEventAt: null })
  })

  test('listeners hear of a batch once', async () => {
    const heard: (string | null)[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = await store.listen('mayfly_events', (payload) => {
      if (payload === 'end') resolve()
      else heard.push(payload)
    })
    await append(0, 10, [makeEvent(1), makeEvent(2)])
    await append(10, 20, [])
    await store.db.execute(`SELECT pg_notify('mayfly_events', 'end')`)
    await promise
    await stop()
    expect(heard).toEqual([String(attempt.jobId)])
  })

  test('after a restart of the job its counters are free again', async () => {
    await append(0, 100, [makeEvent(1)])
    await restartJob(store.db, attempt.jobId)
    expect(await append(100, 200, [makeEvent(1, { uuid: 'second life' })])).toEqual({ stored: 1 })
    expect(await job()).toMatchObject({ eventsStored: 1 })
  })
})
