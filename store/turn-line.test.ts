import { eq, inArray, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { blockerOf, blockersOfResting } from './blocking.ts'
import { cancelJob } from './cancel-job.ts'
import { channels } from './channel.ts'
import { claimOutbox } from './claim-outbox.ts'
import type { Store } from './database.ts'
import { forgetTemplate } from './forget-template.ts'
import { transitionJob } from './job-status.ts'
import { insertJob } from './launch/insert-job.ts'
import { linesOf, unsentStarts } from './lines.ts'
import { enqueue, outboxSent } from './outbox.ts'
import { noteRested } from './rested.ts'
import { readJob } from './run-document.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { outbox } from './schema/runtime.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeGroup, makeJob } from './testing-data.ts'
import { wakeTurns } from './wake-turns.ts'

describe.each(storeKinds)('jobs of templates that allow one at a time, on %s', (kind) => {
  let store: Store
  let group: number
  beforeAll(async () => {
    store = await testStore(kind)
    group = await makeGroup(store.db, 1)
  })
  beforeEach(async () => {
    await store.db.delete(outbox)
    await store.db.delete(unifiedJobs)
  })
  afterAll(() => store.close())

  const launch = async (columns: Partial<typeof unifiedJobs.$inferInsert> = {}, unifiedJobTemplateId = 7) => {
    const values = { type: 'job' as const, name: 'deploy', eligibleGroups: [group], unifiedJobTemplateId, ...columns }
    return (await insertJob(store.db, values, [])).id
  }
  const launchMany = async (count: number, columns: Partial<typeof unifiedJobs.$inferInsert> = {}) => {
    const ids: number[] = []
    while (ids.length < count) ids.push(await launch(columns))
    return ids
  }
  /** Sends all that may be sent, as a worker does; the jobs of starts, in the order of their ids, and those who were told to look again. */
  const send = async () => {
    const sent = { starts: [] as number[], looks: [] as number[] }
    for (;;) {
      const rows = await claimOutbox(store.db, 8)
      if (rows.length === 0) break
      for (const { kind, subjectId } of rows) {
        if (kind === 'start') sent.starts.push(subjectId)
        if (kind === 'progress') sent.looks.push(subjectId)
      }
      await outboxSent(store.db, rows)
    }
    return sent
  }
  const ends = async (id: number) => {
    await transitionJob(store.db, id, 'running')
    await transitionJob(store.db, id, 'successful')
  }
  const cancels = (id: number) => store.db.transaction((tx) => cancelJob(tx, id))
  const starts = (...ids: number[]) => ({ starts: ids, looks: [] })

  test('the first is sent at once, each other when the one before has ended, in the order of their launch', async () => {
    const [first = 0, second = 0, third = 0] = await launchMany(3)
    expect(await send()).toEqual(starts(first))
    const news = Promise.withResolvers<void>()
    await transitionJob(store.db, first, 'running')
    expect(await send()).toEqual(starts())
    const stop = await store.listen(channels.outbox, () => news.resolve())
    await transitionJob(store.db, first, 'failed')
    await news.promise
    await stop()
    expect(await send()).toEqual(starts(second))
    await ends(second)
    expect(await send()).toEqual(starts(third))
    await ends(third)
    const fourth = await launch()
    expect(await send()).toEqual(starts(fourth))
  })

  test('who is more urgent waits for its turn all the same: both would wait for each other for ever', async () => {
    const [first = 0, second = 0] = await launchMany(2)
    const urgent = await launch({ priority: 1 })
    await send()
    await ends(first)
    expect(await send()).toEqual(starts(second))
    await ends(second)
    expect(await claimOutbox(store.db, 8)).toMatchObject([{ subjectId: urgent, urgency: 1, organizationId: 0 }])
  })

  test('templates do not wait for each other, nor does who may run at the same time', async () => {
    const [first = 0] = await launchMany(2)
    const other = await launch({}, 8)
    const free = [await launch({ allowSimultaneous: true }), await launch({ allowSimultaneous: true })]
    expect(await send()).toEqual(starts(first, other, ...free))
  })

  test('one that has begun is waited for, whether it is older or not', async () => {
    const [first = 0, second = 0] = await launchMany(2)
    await send()
    const younger = await makeJob(store.db, { unifiedJobTemplateId: 7, status: 'running' })
    await cancels(second)
    const third = await launch()
    await transitionJob(store.db, first, 'canceled')
    expect((await send()).starts).toEqual([])
    await transitionJob(store.db, younger.id, 'successful')
    expect(await send()).toEqual(starts(third))
  })

  test('cancelling one that rests sends none while the one that all wait for runs; cancelling that one sends the next', async () => {
    const [first = 0, second = 0, third = 0, fourth = 0] = await launchMany(4)
    await send()
    await transitionJob(store.db, first, 'running')
    expect(await cancels(second)).toBe(true)
    expect(await readJob(store.db, second)).toMatchObject({ status: 'canceled' })
    expect(await send()).toEqual(starts())
    await transitionJob(store.db, first, 'canceled')
    // Its turn has come, and nobody has sent it yet.
    await cancels(third)
    expect(await send()).toEqual(starts(fourth))
  })

  test('all that rest are cancelled, many at a time, whoever is next: nothing is left', async () => {
    const ids = await launchMany(40)
    await ends(ids[0] ?? 0)
    await Promise.all(ids.slice(1).map((id) => cancels(id)))
    const left = await store.db
      .select()
      .from(unifiedJobs)
      .where(inArray(unifiedJobs.status, ['pending', 'running']))
    const rows = await store.db.select().from(outbox).where(eq(outbox.kind, 'start'))
    expect([left, rows.filter(({ subjectId }) => subjectId !== ids[0])]).toEqual([[], []])
  })

  test('with workflow jobs, slices and jobs of nodes: they are sent or started, and look again when it is their turn', async () => {
    const [first = 0, second = 0] = await launchMany(2)
    const sliced = await launch({ type: 'workflow_job', isSlicedJob: true })
    const node = await launch({ workflowJobId: (await makeJob(store.db, { type: 'workflow_job' })).id })
    const last = await launch()
    expect(await send()).toEqual(starts(first, sliced))
    await ends(first)
    expect(await send()).toEqual(starts(second))
    await ends(second)
    expect(await send()).toEqual({ starts: [], looks: [sliced] })
    await ends(sliced)
    expect((await send()).looks).toContain(node)
    await transitionJob(store.db, node, 'running')
    expect(await send()).toEqual(starts())
    await transitionJob(store.db, node, 'successful')
    expect((await send()).starts).toEqual([last])
  })

  test('what an earlier release sent looks again, before those that rest; what it left in its lines is sent', async () => {
    const [first = 0, second = 0, third = 0, fourth = 0] = await launchMany(4)
    const asBefore = { urgency: 3, line: 'ffffffffffffffffffffffffffffffff' }
    await store.db
      .update(outbox)
      .set(asBefore)
      .where(inArray(outbox.subjectId, [second, third]))
    await store.db.delete(outbox).where(eq(outbox.subjectId, second))
    expect(await send()).toEqual(starts(first, third))
    await ends(first)
    expect(await send()).toEqual({ starts: [], looks: [second] })
    await ends(second)
    expect(await send()).toEqual({ starts: [], looks: [third] })
    await ends(third)
    expect(await send()).toEqual(starts(fourth))
  })

  test('a job whose turn nobody told is found by the look', async () => {
    const [first = 0, second = 0] = await launchMany(2)
    const [other = 0, next = 0] = [await launch({}, 8), await launch({}, 8)]
    await send()
    expect(await wakeTurns(store.db)).toBe(0)
    const ended = { status: 'successful' as const, finished: new Date().toISOString() }
    await store.db
      .update(unifiedJobs)
      .set(ended)
      .where(inArray(unifiedJobs.id, [first, other]))
    expect(await wakeTurns(store.db)).toBe(2)
    expect(await send()).toEqual(starts(second, next))
    expect(await wakeTurns(store.db)).toBe(0)
  })

  test('the jobs of a template that is deleted wait for each other no more; a start whose job is gone is forgotten', async () => {
    const [first = 0, second = 0, third = 0] = await launchMany(3)
    await send()
    await store.db.transaction((tx) => forgetTemplate(tx, 7))
    await store.db.delete(unifiedJobs).where(eq(unifiedJobs.id, third))
    await ends(first)
    await wakeTurns(store.db)
    expect(await send()).toEqual(starts(second))
    expect(await store.db.select().from(outbox)).toEqual([])
  })

  test('what rests says what it waits for, and stands in no line', async () => {
    const [first = 0, second = 0, third = 0] = await launchMany(3)
    const ids = [first, second, third]
    expect(await blockersOfResting(store.db, ids)).toEqual(
      new Map([
        [second, { id: first, type: 'job' }],
        [third, { id: first, type: 'job' }],
      ]),
    )
    const unsent = await unsentStarts(store.db, ids)
    expect(unsent.get(first)).toMatchObject({ inLine: true, place: 1 })
    expect(unsent.get(third)).toMatchObject({ inLine: false, place: 1 })
    expect([...(await linesOf(store.db, ids, [group])).keys()]).toEqual([first])
    await send()
    await ends(first)
    expect(await blockersOfResting(store.db, ids)).toEqual(new Map([[third, { id: second, type: 'job' }]]))
  })

  test('once its turn has come it waits for a place since then, and not since its launch', async () => {
    const [first = 0, second = 0] = await launchMany(2)
    await send()
    await store.db.update(outbox).set({ created: '2026-01-01T00:00:00Z' })
    await ends(first)
    const [start] = await claimOutbox(store.db, 8)
    expect(start?.subjectId).toBe(second)
    const created = start?.created ?? ''
    expect(created > '2026-02').toBe(true)
    await noteRested(store.db, start ? [start] : [], Date.parse(created) + 2_000)
    expect(Date.parse((await readJob(store.db, second))?.waitingSince ?? '')).toBe(Date.parse(created))
  })

  test('a start that is put in the outbox by itself rests, too', async () => {
    const [before, after] = [{ unifiedJobTemplateId: 7 }, { unifiedJobTemplateId: 7 }]
    const [one, two] = [await makeJob(store.db, before), await makeJob(store.db, after)]
    for (const { id } of [one, two]) await enqueue(store.db, 'start', id)
    expect(await send()).toEqual(starts(one.id))
    expect(await blockerOf(store.db, two)).toEqual({ id: one.id, type: 'job' })
    expect(await blockerOf(store.db, one)).toBeNull()
  })

  test('whose turn it is costs the same however many rest: each is found by the index that is made for it', async () => {
    await store.db.execute(sql`INSERT INTO unified_jobs (type, name, status, unified_job_template_id, allow_simultaneous)
      SELECT 'job', 'deploy', 'pending', 7, false FROM generate_series(1, 5000)`)
    await store.db.execute(
      sql`INSERT INTO outbox (kind, subject_id, urgency, line) SELECT 'start', id, 9, '7' FROM unified_jobs`,
    )
    await store.db.execute(sql`ANALYZE unified_jobs, outbox`)
    const plans: string[] = []
    const explained = new Proxy(store.db, {
      get: (db, name) =>
        name === 'execute'
          ? async (query: ReturnType<typeof sql>) => {
              const { rows } = await db.execute<Record<string, string>>(sql`EXPLAIN ${query}`)
              plans.push(rows.map((row) => Object.values(row)[0]).join('\n'))
              return { rows: [] }
            }
          : Reflect.get(db, name),
    })
    await wakeTurns(explained)
    await blockersOfResting(explained, [1, 2, 3])
    expect(plans).toHaveLength(2)
    for (const plan of plans) {
      expect(plan).not.toMatch(/Seq Scan on (outbox|unified_jobs)/)
      expect(plan).toMatch(/unified_jobs_one_at_a_time_index/)
    }
  })
})
