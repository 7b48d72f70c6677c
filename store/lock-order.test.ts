import { eq, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { recordEnded } from './attempts.ts'
import { type AttemptRow, claimAttempt, unclaim } from './claims.ts'
import type { Database, Store } from './database.ts'
import { packEvents } from './event-rows.ts'
import { appendEvents } from './events.ts'
import { FencedError } from './fence.ts'
import { transitionJob } from './job-status.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { testStore } from './testing.ts'
import { makeAttempt, makeEvent } from './testing-data.ts'

let store: Store
let attempt: AttemptRow
beforeAll(async () => {
  store = await testStore('postgres', { poolMax: 4 })
})
beforeEach(async () => {
  attempt = await makeAttempt(store.db)
})
afterAll(() => store.close())

const owned = () => ({ attemptId: attempt.id, runId: 'run-1' })
const answered = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => error,
  )

/** Resolves when so many other sessions wait for this one, or for each other behind it. */
async function waitBehind(tx: Database, sessions: number): Promise<void> {
  for (;;) {
    const waiting = await tx.execute(sql`
      WITH RECURSIVE line AS (
        SELECT pg_backend_pid() AS pid
        UNION SELECT l.pid FROM pg_locks l JOIN line ON line.pid = ANY(pg_blocking_pids(l.pid)) WHERE NOT l.granted
      ) SELECT pid FROM line`)
    if (waiting.rows.length > sessions) return
  }
}

const writers: Record<string, () => Promise<unknown>> = {
  'storing events': () =>
    appendEvents(store, {
      ...owned(),
      jobId: attempt.jobId,
      fromOffset: 0,
      toOffset: 10,
      events: [packEvents(attempt.jobId, [makeEvent(1)])],
    }),
  'storing a verdict': () =>
    store.db.transaction(async (tx) => {
      await recordEnded(tx, owned(), null)
      await transitionJob(tx, attempt.jobId, 'successful')
    }),
}

test.each(Object.entries(writers))(
  'a job that is deleted during %s goes, and the writer hears of it',
  async (_, write) => {
    const { writing } = await store.db.transaction(async (tx) => {
      await tx.select().from(unifiedJobs).where(eq(unifiedJobs.id, attempt.jobId)).for('update')
      const writing = answered(write())
      await waitBehind(tx, 1)
      // Its attempts go with it: whoever waits for the job must not hold them.
      await tx.delete(unifiedJobs).where(eq(unifiedJobs.id, attempt.jobId))
      return { writing }
    })
    expect(await writing).toBeInstanceOf(FencedError)
  },
)

test('a claim that is given back while a newer run takes it over is the newer run’s', async () => {
  const { jobId, instanceGroupId } = attempt
  const takingOver = { jobId, groupId: instanceGroupId ?? 0, workflowId: 'w', runId: 'run-2' }
  const { claimed, given } = await store.db.transaction(async (tx) => {
    await tx.select().from(unifiedJobs).where(eq(unifiedJobs.id, jobId)).for('update')
    const claimed = claimAttempt(store.db, takingOver)
    await waitBehind(tx, 1)
    const given = answered(unclaim(store.db, owned()))
    await waitBehind(tx, 2)
    return { claimed, given }
  })
  expect(await claimed).toMatchObject({ takenOver: true, attempt: { id: attempt.id, runId: 'run-2' } })
  expect(await given).toBeInstanceOf(FencedError)
})
