import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  attemptsOf,
  getAttempt,
  liveAttempts,
  recordDelivered,
  recordEnded,
  recordPlace,
  recordPod,
  releaseAttempt,
} from './attempts.ts'
import { type AttemptRow, type Claim, claimAttempt, takeOverAttempts, unclaim, withdraw } from './claims.ts'
import type { Store } from './database.ts'
import { MissingRowError } from './errors.ts'
import { FencedError } from './fence.ts'
import { transitionJob } from './job-status.ts'
import { instanceGroups } from './schema/catalog.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeAttempt, makeGroup, makeInventory, makeJob } from './testing-data.ts'

function attemptOf(claim: Claim | undefined): AttemptRow {
  if (!claim || !('attempt' in claim)) throw new Error(`no attempt: ${JSON.stringify(claim)}`)
  return claim.attempt
}

const place = { clusterKey: 'cluster', credentialId: 3, namespace: 'jobs', podName: 'automation-job-1-1' }
const pod = { ...place, podUid: 'uid' }

describe.each(storeKinds)('claims on %s', (kind) => {
  let store: Store
  beforeAll(async () => {
    store = await testStore(kind, { poolMax: 20 })
  })
  afterAll(() => store.close())

  const claim = (jobId: number, groupId: number, runId = `run-${jobId}`) =>
    claimAttempt(store.db, { jobId, groupId, workflowId: `job-${jobId}`, runId })
  const liveIn = async (groupId: number | null) =>
    (await liveAttempts(store.db)).filter(({ instanceGroupId }) => instanceGroupId === groupId)
  const makeJobs = (count: number) => Promise.all(Array.from({ length: count }, () => makeJob(store.db)))

  test('never exceed the limit, however many ask at once, while places come and go', async () => {
    const groupId = await makeGroup(store.db, 3)
    const jobs = await makeJobs(24)
    let freed = Promise.withResolvers<void>()
    const stop = await store.listen('mayfly_groups', () => {
      freed.resolve()
      freed = Promise.withResolvers()
    })
    let highest = 0
    let done = 0
    await Promise.all(
      jobs.map(async ({ id }) => {
        for (;;) {
          const nextFreed = freed.promise
          const answer = await claim(id, groupId)
          if ('refused' in answer) {
            expect(answer.refused).toEqual({ limit: 'max_concurrent_jobs', allowed: 3, taken: 3 })
            await nextFreed
            continue
          }
          highest = Math.max(highest, (await liveIn(groupId)).length)
          await releaseAttempt(store.db, { attemptId: attemptOf(answer).id, runId: `run-${id}` })
          done++
          return
        }
      }),
    )
    await stop()
    expect(done).toBe(24)
    expect(highest).toBeGreaterThan(1)
    expect(highest).toBeLessThanOrEqual(3)
    expect(await liveIn(groupId)).toEqual([])
  })

  test('forks never add up to more than max_forks, however many ask at once; what was counted at the claim stays', async () => {
    const groupId = await makeGroup(store.db, 0, { maxForks: 13 })
    const inventoryId = await makeInventory(store.db, 40)
    const forks = [1, 3, 5, 2, 4]
    const jobs = await Promise.all(
      Array.from({ length: 20 }, (_, index) => makeJob(store.db, { inventoryId, forks: forks[index % 5] ?? 1 })),
    )
    const answers = await Promise.all(jobs.map(({ id }) => claim(id, groupId)))
    const live = await liveIn(groupId)
    const used = live.reduce((sum, { impact }) => sum + impact, 0)
    expect(live.map(({ jobId, impact }) => impact - (jobs.find(({ id }) => id === jobId)?.forks ?? 0))).toEqual(
      live.map(() => 1),
    )
    // The smallest counts 2: no more than 1 may be left over.
    expect(13 - used).toBeGreaterThanOrEqual(0)
    for (const [index, answer] of answers.entries()) {
      if (!('refused' in answer)) continue
      const impact = (jobs[index]?.forks ?? 0) + 1
      expect(answer.refused).toMatchObject({ limit: 'max_forks', allowed: 13, impact })
      expect('taken' in answer.refused && answer.refused.taken + impact).toBeGreaterThan(13)
    }
    await store.db.update(instanceGroups).set({ maxForks: 1 }).where(eq(instanceGroups.id, groupId))
    const { id } = await makeJob(store.db, { inventoryId, forks: 5 })
    expect(await claim(id, groupId)).toEqual({ neverFits: { maxForks: 1, impact: 6 } })
    expect(await liveIn(groupId)).toEqual(live)
  })

  test('a group that is drained gives no place, and keeps those that it gave', async () => {
    const groupId = await makeGroup(store.db, 5)
    const [first, second] = await makeJobs(2)
    const attempt = attemptOf(await claim(first?.id ?? 0, groupId))
    const since = '2026-11-21T12:00:00Z'
    await store.db.update(instanceGroups).set({ drainingSince: since }).where(eq(instanceGroups.id, groupId))
    expect(await claim(second?.id ?? 0, groupId)).toMatchObject({ refused: { limit: 'draining', deadline: null } })
    expect(attemptOf(await claim(first?.id ?? 0, groupId)).id).toBe(attempt.id)
    await store.db.update(instanceGroups).set({ drainingSince: null }).where(eq(instanceGroups.id, groupId))
    expect(attemptOf(await claim(second?.id ?? 0, groupId)).impact).toBe(6)
  })

  test('a limit of 0 is none', async () => {
    const groupId = await makeGroup(store.db, 0)
    const answers = await Promise.all((await makeJobs(8)).map(({ id }) => claim(id, groupId)))
    expect(answers.map(attemptOf)).toHaveLength(8)
  })

  test('a job that claims in several groups at once gets one attempt', async () => {
    const groups = await Promise.all([0, 1, 2, 3].map(() => makeGroup(store.db, 1)))
    const { id } = await makeJob(store.db)
    const answers = await Promise.all(groups.map((groupId) => claim(id, groupId)))
    expect(new Set(answers.map((answer) => attemptOf(answer).id)).size).toBe(1)
    expect(answers.every((answer) => 'takenOver' in answer && !answer.takenOver)).toBe(true)
    const [attempt] = await attemptsOf(store.db, id)
    const [job] = await store.db.select().from(unifiedJobs).where(eq(unifiedJobs.id, id))
    expect(job).toMatchObject({ attemptCount: 1, instanceGroupId: attempt?.instanceGroupId })
  })

  test('the same run gets its claim again; a newer run takes it over and fences the older', async () => {
    const groupId = await makeGroup(store.db, 1)
    const { id } = await makeJob(store.db)
    const first = attemptOf(await claim(id, groupId, 'old'))
    expect(await claim(id, groupId, 'old')).toEqual({ attempt: first, takenOver: false })
    await recordPod(store.db, { attemptId: first.id, runId: 'old' }, pod)
    const taken = await claim(id, groupId, 'new')
    expect(taken).toMatchObject({ takenOver: true, attempt: { id: first.id, runId: 'new', phase: 'created' } })
    const old = { attemptId: first.id, runId: 'old' }
    for (const write of [
      () => recordPlace(store.db, old, place),
      () => recordPod(store.db, old, pod),
      () => recordDelivered(store.db, old),
      () => recordEnded(store.db, old, null),
      () => releaseAttempt(store.db, old),
      () => unclaim(store.db, old),
    ])
      await expect(write()).rejects.toBeInstanceOf(FencedError)
    await releaseAttempt(store.db, { attemptId: first.id, runId: 'new' })
  })

  test('after a release the next attempt has the next number', async () => {
    const groupId = await makeGroup(store.db, 1)
    const { id } = await makeJob(store.db)
    const first = attemptOf(await claim(id, groupId))
    await releaseAttempt(store.db, { attemptId: first.id, runId: first.runId })
    expect(attemptOf(await claim(id, groupId)).number).toBe(2)
  })

  test('what has ended or does not exist claims nothing', async () => {
    const groupId = await makeGroup(store.db, 1)
    const { id } = await makeJob(store.db)
    await transitionJob(store.db, id, 'canceled')
    expect(await claim(id, groupId)).toEqual({ ended: 'canceled' })
    await expect(claim(999_999, groupId)).rejects.toBeInstanceOf(MissingRowError)
    const other = await makeJob(store.db)
    await expect(claim(other.id, 999_999)).rejects.toBeInstanceOf(MissingRowError)
  })

  test('a claim without pod can be undone, but its number is not used again', async () => {
    const groupId = await makeGroup(store.db, 1)
    const { id } = await makeJob(store.db)
    const first = attemptOf(await claim(id, groupId))
    const owned = { attemptId: first.id, runId: first.runId }
    const { promise, resolve } = Promise.withResolvers<void>()
    // What an earlier test told may still be on its way.
    const stop = await store.listen('mayfly_groups', (payload) => payload === String(groupId) && resolve())
    await unclaim(store.db, owned)
    await promise
    await stop()
    await unclaim(store.db, owned)
    expect(await liveIn(groupId)).toEqual([])
    const second = attemptOf(await claim(id, groupId))
    expect(second.number).toBe(2)
    await recordPod(store.db, { attemptId: second.id, runId: second.runId }, pod)
    await expect(unclaim(store.db, { attemptId: second.id, runId: second.runId })).rejects.toBeInstanceOf(FencedError)
  })

  test('a claim whose number named no pod leaves the number to the next', async () => {
    const groupId = await makeGroup(store.db, 1)
    const { id } = await makeJob(store.db)
    const first = attemptOf(await claim(id, groupId))
    await unclaim(store.db, { attemptId: first.id, runId: first.runId, numberUnused: true })
    expect(attemptOf(await claim(id, groupId)).number).toBe(1)
  })

  test('an attempt is withdrawn by its run, and only before the payload was delivered', async () => {
    const { id: attemptId, runId } = await makeAttempt(store.db)
    expect(await withdraw(store.db, { attemptId, runId: 'another' })).toBe(false)
    expect(await withdraw(store.db, { attemptId, runId })).toBe(true)
    expect(await getAttempt(store.db, attemptId)).toMatchObject({ phase: 'ended', releasedAt: null })
    const delivered = await makeAttempt(store.db)
    await recordDelivered(store.db, { attemptId: delivered.id, runId: delivered.runId })
    expect(await withdraw(store.db, { attemptId: delivered.id, runId: delivered.runId })).toBe(false)
  })

  test('a run that starts takes over all live attempts of its job', async () => {
    const attempt = await makeAttempt(store.db)
    const job = { jobId: attempt.jobId, workflowId: 'job', runId: 'after reset' }
    expect(await takeOverAttempts(store.db, job)).toMatchObject([{ id: attempt.id, runId: 'after reset' }])
    await releaseAttempt(store.db, { attemptId: attempt.id, runId: 'after reset' })
    expect(await takeOverAttempts(store.db, { ...job, runId: 'later' })).toEqual([])
  })
})

describe.each(storeKinds)('attempts on %s', (kind) => {
  let store: Store
  beforeAll(async () => {
    store = await testStore(kind)
  })
  afterAll(() => store.close())

  test('move on from phase to phase and never back', async () => {
    const attempt = await makeAttempt(store.db)
    const owned = { attemptId: attempt.id, runId: attempt.runId }
    await recordPlace(store.db, owned, place)
    expect(await getAttempt(store.db, attempt.id)).toMatchObject({ ...place, phase: 'claimed', podUid: null })
    const created = await recordPod(store.db, owned, pod)
    expect(created).toMatchObject({ ...pod, phase: 'created' })
    const delivered = await recordDelivered(store.db, owned)
    expect(delivered.phase).toBe('delivered')
    const repeated = await recordPod(store.db, owned, pod)
    expect(repeated).toMatchObject({ phase: 'delivered', podCreatedAt: created.podCreatedAt })
    expect((await recordDelivered(store.db, owned)).deliveredAt).toBe(delivered.deliveredAt)
    const cause = { kind: 'pod_deleted', message: 'gone', detail: '' } as const
    expect(await recordEnded(store.db, owned, cause)).toMatchObject({ phase: 'ended', cause })
  })

  test('a release gives the place back once, and tells the group', async () => {
    const attempt = await makeAttempt(store.db)
    const owned = { attemptId: attempt.id, runId: attempt.runId }
    const heard: (string | null)[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = await store.listen('mayfly_groups', (payload) => {
      if (payload === 'end') resolve()
      else heard.push(payload)
    })
    await releaseAttempt(store.db, owned)
    const released = await getAttempt(store.db, attempt.id)
    expect(released?.phase).toBe('released')
    await releaseAttempt(store.db, owned)
    expect(await getAttempt(store.db, attempt.id)).toEqual(released)
    await store.db.execute(`SELECT pg_notify('mayfly_groups', 'end')`)
    await promise
    await stop()
    expect(heard).toEqual([String(attempt.instanceGroupId)])
    expect((await liveAttempts(store.db)).map(({ id }) => id)).not.toContain(attempt.id)
  })
})
