import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { attemptsOf, recordDelivered, releaseAttempt } from './attempts.ts'
import { claimAttempt } from './claims.ts'
import type { Store } from './database.ts'
import { packEvents } from './event-rows.ts'
import { appendEvents } from './events.ts'
import { FencedError } from './fence.ts'
import { transitionJob } from './job-status.ts'
import { ownerOfJob, takeJob } from './ownership.ts'
import { jobEvents, unifiedJobs } from './schema/jobs.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeEvent, makeGroup, makeJob } from './testing-data.ts'

describe.each(storeKinds)('ownership of jobs on %s', (kind) => {
  let store: Store
  beforeAll(async () => {
    store = await testStore(kind)
  })
  afterAll(() => store.close())

  /** A running job of the run `old`, with one event stored. */
  async function running() {
    const { id: jobId } = await makeJob(store.db)
    const workflowId = `job-${jobId}`
    expect(await takeJob(store.db, { jobId, workflowId, runId: 'old', before: null, restart: false })).toBe(true)
    const claim = await claimAttempt(store.db, {
      jobId,
      groupId: await makeGroup(store.db, 1),
      workflowId,
      runId: 'old',
    })
    if (!('attempt' in claim)) throw new Error('no place')
    const attemptId = claim.attempt.id
    await transitionJob(store.db, jobId, 'running')
    const append = (runId: string, fromOffset: number, counter: number) =>
      appendEvents(store, {
        ...{ attemptId, runId, jobId, fromOffset, toOffset: fromOffset + 9 },
        events: [packEvents(jobId, [makeEvent(counter)])],
      })
    await append('old', 0, 1)
    return { jobId, workflowId, attemptId, append }
  }
  const statusOf = async (jobId: number) =>
    (await store.db.select({ status: unifiedJobs.status }).from(unifiedJobs).where(eq(unifiedJobs.id, jobId)))[0]
      ?.status

  test('a job goes to the run that names its owner, and to no other', async () => {
    const { jobId, workflowId } = await running()
    const take = (runId: string, before: string | null) =>
      takeJob(store.db, { jobId, workflowId, runId, before, restart: true })
    expect(await take('new', null)).toBe(false)
    expect(await take('new', 'somebody')).toBe(false)
    expect(await ownerOfJob(store.db, jobId)).toBe('old')
    expect(await statusOf(jobId)).toBe('running')
    expect(await attemptsOf(store.db, jobId)).toMatchObject([{ runId: 'old', endedAt: null }])
    expect((await Promise.all([take('new', 'old'), take('newer', 'old')])).sort()).toEqual([false, true])
  })

  test('to go on: the new run writes where the old one stood, and the old one is refused', async () => {
    const { jobId, workflowId, attemptId, append } = await running()
    await takeJob(store.db, { jobId, workflowId, runId: 'new', before: 'old', restart: false })
    for (const write of [
      () => append('old', 9, 2),
      () => recordDelivered(store.db, { attemptId, runId: 'old' }),
      () => transitionJob(store.db, jobId, 'error', {}, 'old'),
      () => claimAttempt(store.db, { jobId, groupId: 1, workflowId, runId: 'old' }),
    ])
      await expect(write()).rejects.toBeInstanceOf(FencedError)
    await append('new', 9, 2)
    expect(await statusOf(jobId)).toBe('running')
    await releaseAttempt(store.db, { attemptId, runId: 'new' })
  })

  test('to start anew: nothing of the old run is left but an attempt to be released', async () => {
    const { jobId, workflowId, attemptId, append } = await running()
    await takeJob(store.db, { jobId, workflowId, runId: 'new', before: 'old', restart: true })
    await expect(append('old', 9, 2)).rejects.toBeInstanceOf(FencedError)
    expect(await statusOf(jobId)).toBe('pending')
    expect(await store.db.select().from(jobEvents).where(eq(jobEvents.jobId, jobId))).toEqual([])
    const [attempt] = await attemptsOf(store.db, jobId)
    expect(attempt).toMatchObject({ id: attemptId, runId: 'new', phase: 'ended', releasedAt: null })
    expect(attempt?.endedAt).not.toBeNull()
  })

  test('an attempt whose place was given back takes no writes any more', async () => {
    const { attemptId } = await running()
    await releaseAttempt(store.db, { attemptId, runId: 'old' })
    await expect(recordDelivered(store.db, { attemptId, runId: 'old' })).rejects.toBeInstanceOf(FencedError)
  })
})
