import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Store } from './database.ts'
import { freezeRun } from './prepare.ts'
import { raiseStarved } from './raise-starved.ts'
import { noteRested } from './rested.ts'
import { readJob } from './run-document.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { attempts, outbox } from './schema/runtime.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeGroup, makeJob } from './testing-data.ts'

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()

describe.each(storeKinds)('jobs that starve, on %s', (kind) => {
  let store: Store
  let group: number
  beforeAll(async () => {
    store = await testStore(kind)
  })
  afterAll(() => store.close())
  beforeEach(async () => {
    await store.db.delete(unifiedJobs)
    await store.db.delete(outbox)
    group = await makeGroup(store.db, 1)
  })

  const waits = (minutes: number, priority: number) =>
    makeJob(store.db, { eligibleGroups: [group], priority, waitingSince: ago(minutes), runId: 'run' })

  /** Jobs that were launched five minutes ago and got a place since. */
  async function served(count: number, priority: number): Promise<void> {
    for (let made = 0; made < count; made++) {
      const job = await makeJob(store.db, { status: 'successful', priority, waitingSince: ago(5) })
      const place = { jobId: job.id, number: 1, workflowId: `job-${job.id}`, runId: 'run', phase: 'ended' as const }
      await store.db
        .insert(attempts)
        .values({ ...place, instanceGroupId: group, podCreatedAt: ago(3), releasedAt: ago(2) })
    }
  }

  test('a job whose start rested has waited since its launch; it is raised once its workflow has begun', async () => {
    const rested = await makeJob(store.db, { eligibleGroups: [group], priority: 4, created: ago(30) })
    await served(11, 2)
    const start = { subjectId: rested.id, line: 'line', created: rested.created }
    await noteRested(store.db, [{ ...start, line: '' }])
    await noteRested(store.db, [{ ...start, created: new Date().toISOString() }])
    expect((await readJob(store.db, rested.id))?.waitingSince).toBeNull()
    await noteRested(store.db, [start])
    expect((await readJob(store.db, rested.id))?.waitingSince).toBe(rested.created)
    expect(await raiseStarved(store.db)).toEqual([])
    await store.db.update(unifiedJobs).set({ runId: 'run' })
    await freezeRun(store.db, rested.id, { executionEnvironmentId: null, scmRevision: '', controllerNode: '' })
    expect((await readJob(store.db, rested.id))?.waitingSince).toBe(rested.created)
    expect(await raiseStarved(store.db)).toEqual([rested.id])
  })

  test('one place in ten goes to who has waited longest', async () => {
    const [second, first, third] = [await waits(20, 4), await waits(40, 3), await waits(15, 5)]
    await served(11, 2)
    expect(await raiseStarved(store.db)).toEqual([second.id, first.id])
    const messages = await store.db.select().from(outbox)
    expect(messages.map(({ kind: what, subjectId, urgency }) => [what, subjectId, urgency])).toEqual(
      expect.arrayContaining([
        ['raise', second.id, 0],
        ['raise', first.id, 0],
      ]),
    )
    // That was their share for now.
    expect(await raiseStarved(store.db)).toEqual([])
    await served(10, 1)
    expect(await raiseStarved(store.db)).toEqual([third.id])
  })

  test('who was not overtaken, has not waited long, is first anyhow or waits for something else stays where it is', async () => {
    await waits(5, 5)
    await waits(30, 1)
    const other = await waits(30, 4)
    await store.db.update(unifiedJobs).set({ waitingReason: 'dependency' }).where(eq(unifiedJobs.id, other.id))
    await served(10, 2)
    expect(await raiseStarved(store.db)).toEqual([])

    const patient = await waits(30, 3)
    await store.db.delete(attempts)
    await served(10, 3)
    expect(await raiseStarved(store.db)).toEqual([])
    await served(1, 1)
    expect(await raiseStarved(store.db)).toEqual([patient.id])
  })

  test('a group that gives no places starves nobody', async () => {
    await waits(60, 5)
    expect(await raiseStarved(store.db)).toEqual([])
  })
})
