import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Cause, cause } from '../../model/cause.ts'
import { getAttempt, recordDelivered, recordEnded, recordOffered, releaseAttempt } from '../../store/attempts.ts'
import { type AttemptRow, claimAttempt } from '../../store/claims.ts'
import type { Store } from '../../store/database.ts'
import { packEvents } from '../../store/event-rows.ts'
import { appendEvents } from '../../store/events.ts'
import { FencedError } from '../../store/fence.ts'
import { endHold, readHold, requestHold } from '../../store/holds.ts'
import { restartJob, transitionJob } from '../../store/job-status.ts'
import { readJob } from '../../store/run-document.ts'
import { jobEvents, unifiedJobs } from '../../store/schema/jobs.ts'
import { outbox } from '../../store/schema/runtime.ts'
import { storeKinds, testStore } from '../../store/testing.ts'
import { makeAttempt, makeEvent } from '../../store/testing-data.ts'
import type { ActivityDeps } from '../deps.ts'
import { decidedBefore, storeVerdict } from './store-verdict.ts'

const lost = cause('pod_deleted', 'The pod was deleted.', 'evidence')
const failed = cause('play_failed', 'It failed.')

describe.each(storeKinds)('what follows from the end of an attempt, on %s', (kind) => {
  let store: Store
  /** What the cluster answers of the attempt's pod. */
  let container: 'running' | 'ended' = 'running'
  beforeAll(async () => {
    store = await testStore(kind)
  })
  afterAll(() => store.close())

  const cluster = {
    getPod: async () => ({
      metadata: { name: 'p', uid: 'u' },
      spec: {},
      status:
        container === 'running'
          ? { phase: 'Running', containerStatuses: [{ name: 'worker', state: { running: {} } }] }
          : { phase: 'Failed' },
    }),
  }
  const deps = () => ({ store, clusters: { forAttempt: async () => cluster } }) as unknown as ActivityDeps

  /** A job at work, which has printed two lines. */
  async function atWork(columns: Partial<typeof unifiedJobs.$inferInsert> = {}): Promise<AttemptRow> {
    const attempt = await makeAttempt(store.db)
    await store.db
      .update(unifiedJobs)
      .set({ runId: 'run-1', scmRevision: 'abc', ...columns })
      .where(eq(unifiedJobs.id, attempt.jobId))
    await recordDelivered(store.db, owned(attempt))
    await transitionJob(store.db, attempt.jobId, 'running')
    await print(attempt, 0)
    return { ...attempt, podUid: 'u' }
  }
  const owned = ({ id, runId }: AttemptRow) => ({ attemptId: id, runId })
  const print = ({ id, runId, jobId }: AttemptRow, fromOffset: number) =>
    appendEvents(store, {
      ...{ attemptId: id, runId, jobId, fromOffset, toOffset: fromOffset + 10 },
      events: [packEvents(jobId, [makeEvent(fromOffset + 1), makeEvent(fromOffset + 2)])],
    })
  const end = (attempt: AttemptRow, found: Cause | null, goesOn = true) =>
    storeVerdict(deps(), attempt, { found, goesOn, known: {}, changes: {}, further: async () => ({}) })
  const jobOf = async ({ jobId }: AttemptRow) => {
    const job = await readJob(store.db, jobId)
    if (!job) throw new Error('the job is gone')
    return job
  }
  const eventsOf = ({ jobId }: AttemptRow) => store.db.$count(jobEvents, eq(jobEvents.jobId, jobId))

  test('another attempt: decided once, whoever asks again; what the first one still prints or says is refused', async () => {
    const attempt = await atWork({ retryPolicy: { lost_after_start: 1 } })
    const verdict = await end(attempt, lost)
    const told = 'Attempt 1 ended: The pod was deleted; trying again (2 of 2).'
    expect(verdict).toMatchObject({ status: 'error', cause: 'pod_deleted', explanation: told, again: true })
    expect(await end(attempt, null)).toEqual(verdict)
    expect(await decidedBefore(deps(), attempt)).toEqual(verdict)

    const job = await jobOf(attempt)
    expect(job).toMatchObject({ status: 'pending', failed: false, started: null, cause: null, eventsStored: 0 })
    expect(job).toMatchObject({ scmRevision: 'abc', retries: { lost_after_start: 1, told } })
    expect(job.waitingSince).not.toBeNull()
    expect(await eventsOf(attempt)).toBe(0)
    expect(await getAttempt(store.db, attempt.id)).toMatchObject({
      ...{ phase: 'ended', cause: lost, lastOutput: 'line 1\r\nline 2\r\n', releasedAt: null },
    })
    await expect(print(attempt, 10)).rejects.toBeInstanceOf(FencedError)
    await expect(recordDelivered(store.db, owned(attempt))).rejects.toBeInstanceOf(FencedError)
    await expect(recordOffered(store.db, owned(attempt))).rejects.toBeInstanceOf(FencedError)

    await releaseAttempt(store.db, owned(attempt))
    const { workflowId, runId, instanceGroupId } = attempt
    const claim = { jobId: attempt.jobId, groupId: instanceGroupId ?? 0, workflowId, runId }
    const second = await claimAttempt(store.db, claim)
    if (!('attempt' in second)) throw new Error('no second attempt')
    expect(second.attempt).toMatchObject({ number: 2, memoryBytes: null })
    // A worker that still believes in the first one changes nothing.
    await expect(decidedBefore(deps(), attempt)).rejects.toMatchObject({ type: 'StaleAttempt' })
    await recordDelivered(store.db, owned(second.attempt))
    expect(await end(second.attempt, lost)).toMatchObject({ status: 'error', released: false })
    expect(await jobOf(attempt)).toMatchObject({
      ...{ status: 'error', cause: 'pod_deleted' },
      jobExplanation: expect.stringMatching(/^The pod was deleted\. Not tried again: .* used up\.$/),
    })
    expect((await restartJob(store.db, attempt.jobId)).retries).toEqual({})
  })

  test('a payload that was about to be sent counts as begun', async () => {
    const policy = { retryPolicy: { lost_before_start: 1 } }
    const sure = await makeAttempt(store.db)
    const offered = await makeAttempt(store.db)
    for (const { jobId } of [sure, offered]) {
      await store.db.update(unifiedJobs).set(policy).where(eq(unifiedJobs.id, jobId))
    }
    await recordOffered(store.db, owned(offered))
    expect(await end(sure, lost)).toMatchObject({ again: true })
    expect((await end(offered, lost)).again).toBeUndefined()
    expect(await jobOf(offered)).toMatchObject({ status: 'error' })
  })

  test.each([
    ['a workflow of an earlier release', {}, false],
    ['a job that somebody cancels', { cancelFlag: true }, true],
  ])('no other attempt for %s', async (_, columns, goesOn) => {
    const attempt = await atWork({ retryPolicy: { lost_after_start: 1 }, ...columns })
    expect(await end(attempt, lost, goesOn)).toEqual({
      ...{ status: 'error', cause: 'pod_deleted', explanation: lost.message, released: false },
    })
    expect(await jobOf(attempt)).toMatchObject({ status: 'error', retries: {}, resultTraceback: 'evidence' })
    expect(await eventsOf(attempt)).toBe(2)
  })

  test('an attempt that was ended without a decision, as by a Reset, is stale', async () => {
    const attempt = await atWork({ retryPolicy: { lost_after_start: 1 } })
    await recordEnded(store.db, owned(attempt), null)
    await expect(end(attempt, lost)).rejects.toMatchObject({ type: 'StaleAttempt' })
  })

  test('a pod is kept after a failure, is kept longer, and is let go; every change tells the workflow', async () => {
    container = 'running'
    const attempt = await atWork()
    expect(await requestHold(store.db, attempt.jobId, 60)).toBe('when it fails')
    expect(await end(attempt, failed)).toMatchObject({ status: 'failed', held: true })
    expect(await decidedBefore(deps(), attempt)).toMatchObject({ status: 'failed', held: true })
    const first = await readHold(store.db, attempt.jobId)
    expect(first?.msLeft).toBeGreaterThan(0)
    const longer = await requestHold(store.db, attempt.jobId, 86_400)
    expect(longer).toMatchObject({ heldUntil: expect.any(String) })
    const second = await readHold(store.db, attempt.jobId)
    expect(second?.msLeft).toBeGreaterThan(first?.msLeft ?? 0)
    // No longer than the pod's container waits for us.
    expect(second?.msLeft).toBeLessThanOrEqual(86_400_000)
    expect(await endHold(store.db, attempt.jobId)).toBe(true)
    expect(await readHold(store.db, attempt.jobId)).toBeNull()
    expect(await endHold(store.db, attempt.jobId)).toBe(false)
    expect(await requestHold(store.db, attempt.jobId, 60)).toBe('too late')
    const messages = await store.db.select().from(outbox).where(eq(outbox.subjectId, attempt.jobId))
    expect(messages).toMatchObject([{ kind: 'progress', asked: 2 }])
  })

  test.each([
    ['a play that succeeded', null, 'running', {}],
    ['a job that was cancelled', cause('canceled', ''), 'running', {}],
    ['a container that has ended', failed, 'ended', {}],
    ['a workflow of an earlier release', failed, 'running', { goesOn: false }],
    ['nobody who asked', failed, 'running', { seconds: 0 }],
  ] as const)('no pod is kept of %s', async (_, found, state, { goesOn = true, seconds = 60 }: Partial<Asked>) => {
    container = state
    const attempt = await atWork({ holdOnFailureSeconds: seconds })
    expect((await end(attempt, found, goesOn)).held).toBeUndefined()
    expect(await getAttempt(store.db, attempt.id)).toMatchObject({ heldUntil: null })
  })
})

interface Asked {
  goesOn: boolean
  seconds: number
}
