import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { claimAttempt } from './claims.ts'
import type { Store } from './database.ts'
import { transitionJob } from './job-status.ts'
import { leftLines } from './left-lines.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeGroup, makeJob } from './testing-data.ts'

describe.each(storeKinds)('who left the lines, on %s', (kind) => {
  let store: Store
  beforeAll(async () => {
    store = await testStore(kind)
  })
  afterAll(() => store.close())

  test('by a place, by their end, or by a cancel; each line by itself, and nobody twice', async () => {
    const [one, other] = [await makeGroup(store.db), await makeGroup(store.db)]
    const stands = (groupId: number, columns: Parameters<typeof makeJob>[1] = {}) =>
      makeJob(store.db, { eligibleGroups: [groupId], runId: 'run', ...columns })
    const takes = async (jobId: number, groupId: number) =>
      claimAttempt(store.db, { jobId, groupId, workflowId: `job-${jobId}`, runId: 'run' })
    const before = await stands(one)
    await takes(before.id, one)
    const { left, until } = await leftLines(store.db, null)
    expect(left).toEqual([])
    expect((await leftLines(store.db, until)).left).toEqual([])

    for (const urgency of [3, 3, 1]) await takes((await stands(one, { priority: urgency })).id, one)
    for (const status of ['failed', 'error', 'error'] as const)
      await transitionJob(store.db, (await stands(other)).id, status)
    for (let count = 0; count < 4; count++) await transitionJob(store.db, (await stands(one)).id, 'canceled')
    // One that had a place gives it back; one whose start rested stood in no line; a node's is held back by none.
    await transitionJob(store.db, before.id, 'canceled')
    await transitionJob(store.db, (await stands(one, { runId: null })).id, 'canceled')
    await transitionJob(store.db, (await stands(one, { workflowJobId: before.id })).id, 'canceled')

    const since = await leftLines(store.db, until)
    const told = since.left.map(({ urgency, served, canceled }) => [urgency, served, canceled])
    expect(told.toSorted((a, b) => Number(a[0]) - Number(b[0]) || Number(a[1]) - Number(b[1]))).toEqual([
      [1, 1, 0],
      [3, 2, 4],
      [3, 3, 0],
    ])
    expect(new Set(since.left.map(({ line }) => line)).size).toBe(2)
    await store.db.update(unifiedJobs).set({ priority: 3 }).where(eq(unifiedJobs.id, before.id))
    expect((await leftLines(store.db, since.until)).left).toEqual([])
  })
})
