import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { claimOutbox } from './claim-outbox.ts'
import type { Store } from './database.ts'
import { enqueue, notBegun, outboxFailed, outboxSent } from './outbox.ts'
import { organizations } from './schema/catalog.ts'
import { outbox } from './schema/runtime.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeJob } from './testing-data.ts'

const later = (ms: number) => new Date(Date.now() + ms)

describe.each(storeKinds)('the outbox on %s', (kind) => {
  let store: Store
  beforeAll(async () => {
    store = await testStore(kind)
  })
  beforeEach(async () => {
    await store.db.delete(outbox)
  })
  afterAll(() => store.close())

  const put = async (count: number, values: Parameters<typeof makeJob>[1] = {}) => {
    const ids: number[] = []
    for (let made = 0; made < count; made++) {
      const job = await makeJob(store.db, values)
      await store.db.transaction((tx) => enqueue(tx, 'start', job.id))
      ids.push(job.id)
    }
    return ids
  }

  test('wakes its sender on commit, and not before', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = await store.listen('mayfly_outbox', () => resolve())
    await put(1)
    await promise
    await stop()
  })

  test('hands out due rows oldest first, each to one sender', async () => {
    const ids = await put(6)
    const claims = await Promise.all([claimOutbox(store.db, 2), claimOutbox(store.db, 2), claimOutbox(store.db, 2)])
    const jobs = claims.flat().map((row) => row.subjectId)
    expect(jobs.toSorted((one, other) => one - other)).toEqual(ids)
    for (const claim of claims) expect(claim.map((row) => row.id)).toEqual(claim.map((row) => row.id).toSorted())
    expect(await claimOutbox(store.db, 10)).toEqual([])
    await put(1)
    expect(await claimOutbox(store.db, 10)).toHaveLength(1)
  })

  test('what somebody waits for is not behind thousands of schedules', async () => {
    for (const id of [1, 2, 3]) await store.db.transaction((tx) => enqueue(tx, 'plan_schedule', id))
    const [job] = await put(1)
    expect((await claimOutbox(store.db, 2)).map((row) => row.subjectId).toSorted((a, b) => a - b)).toEqual(
      [1, job ?? 0].toSorted((a, b) => a - b),
    )
  })

  test('a claim that nobody reports on is handed out again', async () => {
    await put(1)
    const [first] = await claimOutbox(store.db, 10)
    expect(first?.tries).toBe(1)
    expect(await claimOutbox(store.db, 10, { now: later(5_000) })).toEqual([])
    const [again] = await claimOutbox(store.db, 10, { now: later(30_000) })
    expect(again).toMatchObject({ id: first?.id, tries: 2 })
  })

  test('what was sent is forgotten, what failed waits for its time with the reason', async () => {
    const [sentJob, failedJob] = await put(2)
    const rows = await claimOutbox(store.db, 10)
    const of = (jobId: number | undefined) => rows.find((row) => row.subjectId === jobId) ?? { id: -1, asked: 0 }
    await outboxSent(store.db, [of(sentJob)])
    await outboxFailed(store.db, of(failedJob).id, 'no connection', new Date(Date.now() + 60_000))
    expect(await claimOutbox(store.db, 10, { now: later(50_000) })).toEqual([])
    expect(await claimOutbox(store.db, 10, { now: later(61_000) })).toMatchObject([
      { subjectId: failedJob, lastError: 'no connection' },
    ])
  })

  test('what is asked for again while it is being sent is sent again', async () => {
    const [jobId = 0] = await put(1)
    const [claimed] = await claimOutbox(store.db, 10)
    await enqueue(store.db, 'start', jobId)
    await outboxSent(store.db, claimed ? [claimed] : [])
    expect(await claimOutbox(store.db, 10)).toMatchObject([{ subjectId: jobId, asked: 2 }])
  })

  test('a job has one message of each kind; asking again makes it due', async () => {
    const [jobId = 0] = await put(1)
    await enqueue(store.db, 'cancel', jobId)
    const rows = await claimOutbox(store.db, 10)
    expect(rows.map((row) => row.kind).toSorted()).toEqual(['cancel', 'start'])
    await enqueue(store.db, 'cancel', jobId)
    expect(await claimOutbox(store.db, 10)).toMatchObject([{ kind: 'cancel', subjectId: jobId }])
  })

  const subjects = (rows: { subjectId: number }[]) => rows.map(({ subjectId }) => subjectId)
  const claimed = async (limit: number, options?: Parameters<typeof claimOutbox>[2]) =>
    subjects(await claimOutbox(store.db, limit, options))

  test('what cannot wait goes first, then starts by priority, then in the order in which they were made', async () => {
    const [late] = await put(1, { priority: 5 })
    const usual = await put(2)
    const [urgent] = await put(1, { priority: 1 })
    await enqueue(store.db, 'notify', 1)
    await enqueue(store.db, 'cancel', late ?? 0)
    expect(await claimed(1)).toEqual([late])
    expect(await claimed(1)).toEqual([urgent])
    expect(await claimed(2)).toEqual(usual)
    expect(await claimed(1)).toEqual([late])
    expect(await claimed(1)).toEqual([1])
  })

  test('organizations share by weight, and none waits for the end of another’s burst', async () => {
    const made = await store.db
      .insert(organizations)
      .values([{ name: 'busy' }, { name: 'small' }, { name: 'heavy', fairShareWeight: 2 }])
      .returning()
    const [busy, small, heavy] = made.map(({ id }) => id)
    const many = await put(20, { organizationId: busy })
    const few = await put(2, { organizationId: small })
    const twice = await put(6, { organizationId: heavy })
    expect((await claimed(6)).toSorted((a, b) => a - b)).toEqual([
      ...many.slice(0, 2),
      ...few.slice(0, 1),
      ...twice.slice(0, 3),
    ])
  })

  test('one in eight is the oldest, however many more urgent ones come', async () => {
    const [late] = await put(1, { priority: 5 })
    const urgent = await put(20, { priority: 1 })
    expect((await claimed(8)).toSorted((a, b) => a - b)).toEqual([late, ...urgent.slice(0, 7)])
  })

  test('starts can be held back while everything else is sent', async () => {
    const ids = await put(3)
    await enqueue(store.db, 'cancel', 7)
    expect(await claimed(8, { starts: false })).toEqual([7])
    expect(await claimed(8)).toEqual(ids)
  })

  test('knows which started jobs no workflow has begun', async () => {
    const [waiting] = await put(1)
    const [begun] = await put(1, { runId: 'run' })
    const [ended] = await put(1, { status: 'canceled' })
    expect(await notBegun(store.db, [waiting ?? 0, begun ?? 0, ended ?? 0])).toEqual([waiting])
  })
})
