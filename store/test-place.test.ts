import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { claimAttempt } from './claims.ts'
import type { Store } from './database.ts'
import { askForPreflight, endPreflight } from './preflights.ts'
import { takeTestPlace } from './test-place.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeGroup, makeJob } from './testing-data.ts'

describe.each(storeKinds)('the place of a test on %s', (kind) => {
  let store: Store
  beforeAll(async () => {
    store = await testStore(kind)
  })
  afterAll(() => store.close())

  const asked = (instanceGroupId: number) => askForPreflight(store.db, { instanceGroupId }, { runPod: true })
  const claim = async (groupId: number) => {
    const { id: jobId } = await makeJob(store.db)
    return await claimAttempt(store.db, { jobId, groupId, workflowId: `job-${jobId}`, runId: `run-${jobId}` })
  }
  const report = { ok: true, started: '', finished: '', checks: [] }

  test('counts with those of jobs, until the test is over', async () => {
    const groupId = await makeGroup(store.db, 2)
    const [one, two] = [await asked(groupId), await asked(groupId)]
    expect(await takeTestPlace(store.db, { preflightId: one.id, groupId })).toBeNull()
    expect(await claim(groupId)).toHaveProperty('attempt')
    expect(await claim(groupId)).toEqual({ refused: { limit: 'max_concurrent_jobs', allowed: 2, taken: 2 } })
    expect(await takeTestPlace(store.db, { preflightId: two.id, groupId })).toMatchObject({ allowed: 2, taken: 2 })
    await endPreflight(store.db, one.id, report)
    expect(await claim(groupId)).toHaveProperty('attempt')
  })

  test('is kept for whoever makes the test anew, and not for ever', async () => {
    const groupId = await makeGroup(store.db, 1, { drainingSince: '2026-11-21T13:00:00Z' })
    const { id: preflightId } = await asked(groupId)
    for (let round = 0; round < 2; round++) {
      expect(await takeTestPlace(store.db, { preflightId, groupId })).toBeNull()
    }
    const later = await asked(groupId)
    expect(await takeTestPlace(store.db, { preflightId: later.id, groupId })).not.toBeNull()
    await store.db.execute(
      sql`UPDATE preflight_reports SET created = created - interval '1 hour' WHERE id = ${preflightId}`,
    )
    expect(await takeTestPlace(store.db, { preflightId: later.id, groupId })).toBeNull()
  })

  test('of many claims and tests at once no more than the limit get one', async () => {
    const groupId = await makeGroup(store.db, 5)
    const tests = await Promise.all(Array.from({ length: 20 }, () => asked(groupId)))
    const outcomes = await Promise.all([
      ...tests.map(async ({ id }) => (await takeTestPlace(store.db, { preflightId: id, groupId })) === null),
      ...Array.from({ length: 20 }, async () => 'attempt' in (await claim(groupId))),
    ])
    expect(outcomes.filter(Boolean)).toHaveLength(5)
  })
})
