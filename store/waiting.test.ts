import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { placeInLine } from '../model/place-in-line.ts'
import { releaseAttempt } from './attempts.ts'
import { claimAttempt } from './claims.ts'
import type { Store } from './database.ts'
import { groupLoads, heldTimes } from './group-load.ts'
import { groupsBrakedBy, recordBrake } from './groups.ts'
import { restartJob, transitionJob } from './job-status.ts'
import { linesOf, sharesQuery, unsentStarts } from './lines.ts'
import { enqueue } from './outbox.ts'
import { notePassedOver, settlePassedOver } from './passed-over.ts'
import { readJob } from './run-document.ts'
import { instanceGroups, organizations } from './schema/catalog.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { attempts, groupBrakes, outbox, workers } from './schema/runtime.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeGroup, makeJob } from './testing-data.ts'
import { attemptTimes, awaitedJobs, turnOf } from './waited.ts'
import { forgetWorkers, lastWorker, signWorker } from './workers.ts'

describe.each(storeKinds)('waiting on %s', (kind) => {
  let store: Store
  beforeAll(async () => {
    store = await testStore(kind)
  })
  afterAll(() => store.close())

  const claim = (jobId: number, groupId: number) =>
    claimAttempt(store.db, { jobId, groupId, workflowId: `job-${jobId}`, runId: `run-${jobId}` })
  const at = (second: number) => `2026-11-21T13:00:${String(second).padStart(2, '0')}Z`
  const inLine = (second: number, eligibleGroups: number[], columns: Partial<typeof unifiedJobs.$inferInsert> = {}) =>
    makeJob(store.db, { waitingSince: at(second), eligibleGroups, ...columns })
  const fresh = async (id: number) => {
    const job = await readJob(store.db, id)
    if (!job) throw new Error(`no job ${id}`)
    return job
  }
  const organization = async (name: string, fairShareWeight = 1) => {
    const [row] = await store.db.insert(organizations).values({ name, fairShareWeight }).returning()
    return row?.id ?? 0
  }

  test('what a group offers: its limits, what is taken, since when, and its brake', async () => {
    const groupId = await makeGroup(store.db, 2)
    const empty = { running: 0, forks: 0, newestClaim: null, brake: null, maxConcurrentJobs: 2 }
    expect((await groupLoads(store.db, [groupId])).get(groupId)).toMatchObject(empty)
    const [one, two] = [await makeJob(store.db), await makeJob(store.db)]
    await claim(one.id, groupId)
    await claim(two.id, groupId)
    await recordBrake(store.db, groupId, 'no node takes it', 'scheduler')
    const load = (await groupLoads(store.db, [groupId])).get(groupId)
    const claimed = await store.db.select().from(attempts).where(eq(attempts.jobId, two.id))
    expect(load).toMatchObject({ running: 2, newestClaim: claimed[0]?.claimedAt, brake: { kind: 'scheduler' } })
    expect(await groupsBrakedBy(store.db, [groupId], ['unreachable'])).toEqual([])
    expect(await groupsBrakedBy(store.db, [groupId], ['unreachable', 'scheduler'])).toEqual([groupId])
  })

  test('a brake of another kind begins anew, one of the same kind goes on', async () => {
    const groupId = await makeGroup(store.db)
    await recordBrake(store.db, groupId, '4 of 4', 'quota')
    await store.db
      .update(groupBrakes)
      .set({ since: at(0) })
      .where(eq(groupBrakes.instanceGroupId, groupId))
    const since = async () => Date.parse((await groupLoads(store.db, [groupId])).get(groupId)?.brake?.since ?? '')
    await recordBrake(store.db, groupId, '5 of 4', 'quota')
    expect(await since()).toBe(Date.parse(at(0)))
    await recordBrake(store.db, groupId, 'away', 'unreachable')
    expect(await since()).toBeGreaterThan(Date.parse(at(0)))
  })

  test('how long places were held', async () => {
    const groupId = await makeGroup(store.db)
    expect(await heldTimes(store.db, [groupId])).toEqual(new Map())
    for (const seconds of [10, 30]) {
      const job = await makeJob(store.db)
      const claimed = await claim(job.id, groupId)
      if (!('attempt' in claimed)) throw new Error('no place')
      await releaseAttempt(store.db, { attemptId: claimed.attempt.id, runId: `run-${job.id}` })
      await store.db
        .update(attempts)
        .set({ releasedAt: sql`${attempts.claimedAt} + make_interval(secs => ${seconds})` })
        .where(eq(attempts.id, claimed.attempt.id))
    }
    expect((await heldTimes(store.db, [groupId])).get(groupId)).toEqual({ meanSeconds: 20, attempts: 2 })
  })

  test('places in line: by priority, then by shares, then who came first; what waits for other things stands in none', async () => {
    const [preferred, other] = [await makeGroup(store.db), await makeGroup(store.db)]
    const [light, heavy] = [await organization('light'), await organization('heavy', 4)]
    const first = await inLine(1, [preferred], { organizationId: light })
    const second = await inLine(2, [preferred, other], { organizationId: light })
    const urgent = await inLine(9, [preferred], { organizationId: light, priority: 1 })
    const theirs = await Promise.all([3, 4, 5].map((second) => inLine(second, [other], { organizationId: heavy })))
    const blocked = await inLine(0, [preferred], { waitingReason: 'turn' })
    const unprepared = await makeJob(store.db, { eligibleGroups: [preferred] })
    const asked = [first, second, urgent, blocked, unprepared, ...theirs].map(({ id }) => id)
    const lines = await linesOf(store.db, asked, [preferred, other])
    const place = (id: number, groupId: number) => {
      const line = lines.get(id)?.get(groupId)
      return line && placeInLine(line)
    }
    expect(place(urgent.id, preferred)).toEqual({ place: 1, shared: false })
    expect(place(first.id, preferred)).toEqual({ place: 2, shared: false })
    expect(place(second.id, preferred)).toEqual({ place: 3, shared: false })
    expect(place(second.id, other)).toEqual({ place: 3, shared: true })
    expect(theirs.map(({ id }) => place(id, other)?.place)).toEqual([1, 2, 4])
    expect([lines.get(blocked.id), lines.get(unprepared.id)]).toEqual([undefined, undefined])
    expect(await linesOf(store.db, [], [preferred])).toEqual(new Map())
  })

  test('jobs whose starts rest have their places behind those that stand in line', async () => {
    const groupId = await makeGroup(store.db, 1)
    const stands = [await inLine(50, [groupId]), await inLine(51, [groupId])]
    const urgent = await inLine(52, [groupId], { priority: 1 })
    const rest = [
      await makeJob(store.db, { eligibleGroups: [groupId] }),
      await makeJob(store.db, { eligibleGroups: [groupId] }),
    ]
    await store.db.delete(outbox)
    for (const { id } of rest) await enqueue(store.db, 'start', id)
    const asked = [...stands, urgent, ...rest].map(({ id }) => id)
    const lines = await linesOf(store.db, asked, [groupId])
    const found = asked.map((id) => lines.get(id)?.get(groupId))
    expect(found.map((line) => line && placeInLine(line).place)).toEqual([2, 3, 1, 4, 5])
    expect(found.map((line) => line?.standing)).toEqual([3, 3, 1, 3, 3])
    expect((await unsentStarts(store.db, asked)).get(rest[0]?.id ?? 0)).toEqual({
      lastError: '',
      place: 1,
      inLine: true,
    })
    await store.db.delete(outbox)
  })

  test('a whole page of places is one scan of the line, which is never compared with itself', async () => {
    const explain = sql`EXPLAIN ${sharesQuery([1, 2, 3], [1, 2])}`
    const { rows } = await store.db.execute<Record<string, string>>(explain)
    const plan = rows.map((row) => Object.values(row)[0]).join('\n')
    expect(plan.match(/ on unified_jobs/g)).toHaveLength(1)
    expect(plan).not.toMatch(/CTE Scan/)
  })

  test('starts that are not sent, with the last failure', async () => {
    const [sent, unsent] = [await makeJob(store.db), await makeJob(store.db)]
    await enqueue(store.db, 'start', unsent.id)
    await enqueue(store.db, 'cancel', sent.id)
    expect(await unsentStarts(store.db, [sent.id, unsent.id])).toEqual(
      new Map([[unsent.id, { lastError: '', place: 1, inLine: false }]]),
    )
    const urgent = await makeJob(store.db, { priority: 1 })
    await enqueue(store.db, 'start', urgent.id)
    expect((await unsentStarts(store.db, [unsent.id])).get(unsent.id)?.place).toBe(2)
  })

  test('a group that was full is on record since its last place was taken, and a wait is written once', async () => {
    const [full, taker] = [await makeGroup(store.db, 1), await makeGroup(store.db, 1)]
    const holder = await makeJob(store.db)
    await claim(holder.id, full)
    const [attempt] = await store.db.select().from(attempts).where(eq(attempts.jobId, holder.id))
    const { id } = await makeJob(store.db, { eligibleGroups: [full, taker], waitingSince: new Date().toISOString() })
    const refused = { groupId: full, group: 'full', why: 'full' as const, message: '1 of 1' }
    const entries = await notePassedOver(store.db, await fresh(id), refused)
    const since = new Date(attempt?.claimedAt ?? 0).toISOString()
    expect(entries).toEqual([{ ...refused, since, until: null }])
    // What is on record already costs nothing more, and changes nothing.
    expect(await notePassedOver(store.db, await fresh(id), { ...refused, message: 'other numbers' })).toEqual(entries)
    await claim(id, taker)
    await store.db.transaction(async (tx) => settlePassedOver(tx, await readLocked(tx, id), taker))
    expect((await fresh(id)).passedOver).toEqual([{ ...entries[0], until: expect.any(String) }])
  })

  test('a preferred group that never offered to take the job is on record when another one does', async () => {
    const [full, drained, free, taker] = await Promise.all([1, 1, 0, 0].map((limit) => makeGroup(store.db, limit)))
    const holder = await makeJob(store.db)
    await claim(holder.id, full ?? 0)
    await store.db
      .update(instanceGroups)
      .set({ drainingSince: at(1) })
      .where(eq(instanceGroups.id, drained ?? 0))
    const eligibleGroups = [full ?? 0, drained ?? 0, free ?? 0, taker ?? 0]
    const { id } = await makeJob(store.db, { eligibleGroups, waitingSince: at(2) })
    await store.db.transaction(async (tx) => settlePassedOver(tx, await readLocked(tx, id), taker ?? 0))
    const { passedOver } = await fresh(id)
    expect(passedOver).toMatchObject([
      { groupId: full, why: 'full', message: '1 of 1 concurrent jobs are running (max_concurrent_jobs)' },
      { groupId: drained, why: 'draining', since: new Date(at(1)).toISOString() },
    ])
    expect(passedOver.every(({ until }) => until !== null)).toBe(true)
  })

  test('a job that has started keeps its record as it is, and one that is reset begins anew', async () => {
    const groupId = await makeGroup(store.db)
    const { id } = await makeJob(store.db, { eligibleGroups: [groupId] })
    const refused = { groupId, group: 'g', why: 'unreachable' as const, message: 'away', since: at(3) }
    const [entry] = await notePassedOver(store.db, await fresh(id), refused)
    expect(entry?.since).toBe(new Date(at(3)).toISOString())
    await transitionJob(store.db, id, 'waiting')
    await notePassedOver(store.db, await fresh(id), { ...refused, why: 'misconfigured' })
    expect((await fresh(id)).passedOver).toEqual([entry])
    expect((await restartJob(store.db, id)).passedOver).toEqual([])
  })

  test('what a job waited for: the job of its template before it, and its attempts', async () => {
    const template = { unifiedJobTemplateId: 4711, allowSimultaneous: false }
    const before = await makeJob(store.db, template)
    const groupId = await makeGroup(store.db)
    const job = await makeJob(store.db, template)
    expect(await turnOf(store.db, before)).toBeNull()
    expect(await turnOf(store.db, job)).toMatchObject({ id: before.id, status: 'pending' })
    expect(await turnOf(store.db, { ...job, allowSimultaneous: true })).toBeNull()
    await store.db.update(unifiedJobs).set({ finished: '2020-01-01T00:00:00Z' }).where(eq(unifiedJobs.id, before.id))
    expect(await turnOf(store.db, job)).toBeNull()
    await claim(job.id, groupId)
    expect(await attemptTimes(store.db, job.id)).toMatchObject([{ group: expect.any(String), ready: null }])
    expect(await awaitedJobs(store.db, [before.id])).toMatchObject([{ id: before.id, type: 'job' }])
  })

  test('workers that are there, and those that were', async () => {
    expect(await lastWorker(store.db)).toEqual({ seen: null, alive: false })
    await signWorker(store.db, 'one', 'node-1')
    await signWorker(store.db, 'one', 'node-1')
    expect(await lastWorker(store.db)).toEqual({ seen: expect.any(String), alive: true })
    await store.db.update(workers).set({ seen: sql`now() - interval '1 minute'` })
    expect(await lastWorker(store.db)).toEqual({ seen: expect.any(String), alive: false })
    await forgetWorkers(store.db)
    expect((await lastWorker(store.db)).seen).not.toBeNull()
    await store.db.update(workers).set({ seen: sql`now() - interval '8 days'` })
    await forgetWorkers(store.db)
    expect(await lastWorker(store.db)).toEqual({ seen: null, alive: false })
  })

  async function readLocked(tx: Store['db'], id: number) {
    const [job] = await tx.select().from(unifiedJobs).where(eq(unifiedJobs.id, id)).for('no key update')
    if (!job) throw new Error(`no job ${id}`)
    return job
  }
})
