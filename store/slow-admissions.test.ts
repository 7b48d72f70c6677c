import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { releaseAttempt } from './attempts.ts'
import { withdraw } from './claims.ts'
import type { Store } from './database.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { attempts, workers } from './schema/runtime.ts'
import { slowAdmissions } from './slow-admissions.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeAttempt } from './testing-data.ts'

/** Seconds ago, however slow the machine. */
const justNow = -600
const ago = (seconds: number) => new Date(Date.now() - seconds * 1_000).toISOString()

describe.each(storeKinds)('admissions that are slow, on %s', (kind) => {
  let store: Store
  beforeAll(async () => {
    store = await testStore(kind)
  })
  afterAll(() => store.close())
  beforeEach(async () => {
    await store.db.delete(unifiedJobs)
    await store.db.delete(workers)
  })

  /** A claim of this age. */
  async function claimed(seconds: number, phase: 'claimed' | 'created' | 'delivered' = 'claimed') {
    const attempt = await makeAttempt(store.db)
    await store.db
      .update(attempts)
      .set({ claimedAt: ago(seconds), phase })
      .where(eq(attempts.id, attempt.id))
    return attempt
  }
  const found = async () => (await slowAdmissions(store.db)).map(({ attemptId }) => attemptId)
  const signed = (seconds: number) =>
    store.db.insert(workers).values({ id: `worker ${seconds}`, nodeName: 'here', seen: ago(seconds) })

  test('are claims of some age that nobody has given back, oldest first', async () => {
    const [first, second] = [await claimed(20), await claimed(15)]
    await claimed(justNow)
    const over = await claimed(30)
    await releaseAttempt(store.db, { attemptId: over.id, runId: over.runId })
    const withdrawn = await claimed(30)
    await withdraw(store.db, { attemptId: withdrawn.id, runId: withdrawn.runId })
    const { id: attemptId, jobId, instanceGroupId: groupId, runId } = first
    const [one, other, ...more] = await slowAdmissions(store.db)
    expect(one).toEqual({ attemptId, jobId, groupId, runId })
    expect(other?.attemptId).toBe(second.id)
    expect(more).toEqual([])
  })

  test('have made their pod only where a worker is missed since lately', async () => {
    const created = await claimed(20, 'created')
    await claimed(20, 'delivered')
    await signed(justNow)
    await signed(600)
    expect(await found()).toEqual([])
    await signed(15)
    expect(await found()).toEqual([created.id])
  })
})
