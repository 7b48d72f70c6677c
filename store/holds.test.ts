import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { getAttempt, recordEnded } from './attempts.ts'
import type { AttemptRow } from './claims.ts'
import type { Store } from './database.ts'
import { readHold, recordDrainedHold, requestHold, reviewHolds } from './holds.ts'
import { instanceGroups } from './schema/catalog.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { attempts, outbox } from './schema/runtime.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeAttempt } from './testing-data.ts'

describe.each(storeKinds)('pods that are kept in a drained group, on %s', (kind) => {
  let store: Store
  beforeAll(async () => {
    store = await testStore(kind)
  })
  afterAll(() => store.close())

  /** A failed job whose pod is kept for an hour. */
  async function held(): Promise<AttemptRow> {
    const attempt = await makeAttempt(store.db)
    await recordEnded(store.db, { attemptId: attempt.id, runId: attempt.runId }, null)
    await store.db
      .update(attempts)
      .set({ heldUntil: sql`now() + interval '1 hour'` })
      .where(eq(attempts.id, attempt.id))
    await store.db
      .update(unifiedJobs)
      .set({ status: 'failed', jobExplanation: 'It failed.' })
      .where(eq(unifiedJobs.id, attempt.jobId))
    return (await getAttempt(store.db, attempt.id)) ?? attempt
  }
  const drain = ({ instanceGroupId }: AttemptRow, seconds: number | null) =>
    store.db
      .update(instanceGroups)
      .set({
        name: `drained ${instanceGroupId}`,
        drainingSince: sql`now()`,
        drainDeadline: seconds === null ? null : sql`now() + make_interval(secs => ${seconds})`,
      })
      .where(eq(instanceGroups.id, instanceGroupId ?? 0))
  const explanation = async ({ jobId }: AttemptRow) => {
    const [job] = await store.db.select().from(unifiedJobs).where(eq(unifiedJobs.id, jobId))
    return job?.jobExplanation
  }

  test('are kept until its deadline, or for their own time where that is over before, or there is none', async () => {
    const [soon, late, never] = [await held(), await held(), await held()]
    await drain(soon, 60)
    await drain(late, 86_400)
    await drain(never, null)
    const hold = await readHold(store.db, soon.jobId)
    expect(hold?.msLeft).toBeLessThanOrEqual(60_000)
    expect(await requestHold(store.db, soon.jobId, 7_200)).toEqual({ heldUntil: hold?.heldUntil })
    expect((await readHold(store.db, late.jobId))?.heldUntil).toBe(late.heldUntil)
    expect((await readHold(store.db, never.jobId))?.heldUntil).toBe(never.heldUntil)
    for (const attempt of [soon, late, never]) {
      await recordDrainedHold(store.db, attempt.jobId)
      expect(await explanation(attempt)).toBe('It failed.')
    }
  })

  test('go at the deadline, which the job has on its record, once', async () => {
    const attempt = await held()
    await drain(attempt, 0)
    expect(await readHold(store.db, attempt.jobId)).toBeNull()
    expect(await requestHold(store.db, attempt.jobId, 60)).toBe('too late')
    await recordDrainedHold(store.db, attempt.jobId)
    await recordDrainedHold(store.db, attempt.jobId)
    const [group] = await store.db
      .select()
      .from(instanceGroups)
      .where(eq(instanceGroups.id, attempt.instanceGroupId ?? 0))
    expect(await explanation(attempt)).toMatch(
      new RegExp(
        `^It failed\\. Its pod was to be kept until [^ ]+, but went at the deadline of the drain of instance group "${group?.name}", [^ ]+\\.$`,
      ),
    )
    expect((await getAttempt(store.db, attempt.id))?.heldUntil).toBe(group?.drainDeadline)
  })

  test('are told of every change of the drain, and no others are', async () => {
    const [one, other] = [await held(), await held()]
    await reviewHolds(store.db, one.instanceGroupId ?? 0)
    const messages = await store.db.select().from(outbox)
    const told = messages.filter(({ kind }) => kind === 'progress').map(({ subjectId }) => subjectId)
    expect(told).toContain(one.jobId)
    expect(told).not.toContain(other.jobId)
  })
})
