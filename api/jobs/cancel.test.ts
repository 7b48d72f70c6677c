import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { claimOutbox } from '../../store/claim-outbox.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { attempts, groupBrakes, outbox } from '../../store/schema/runtime.ts'
import { storeKinds } from '../../store/testing.ts'
import { explainWaiting } from '../../store/waiting.ts'
import { signWorker } from '../../store/workers.ts'
import type { TestApp } from '../testing.ts'
import { nobody, openRecordedApp } from '../testing-domain.ts'

describe.each(storeKinds)('jobs that have not started, on %s', (kind) => {
  let app: TestApp
  beforeAll(async () => {
    app = await openRecordedApp(kind)
  })
  afterAll(() => app.close())

  const launch = async (): Promise<number> => (await app.call('POST', '/api/v2/job_templates/16/launch/', {})).body.job
  const cancel = (job: number) => app.call('POST', `/api/v2/jobs/${job}/cancel/`)
  const messages = (job: number) => app.store.db.select().from(outbox).where(eq(outbox.subjectId, job))
  const show = async (job: number) => (await app.call('GET', `/api/v2/jobs/${job}/`)).body

  test('a job that nobody has started to send ends at once', async () => {
    const job = await launch()
    expect((await app.call('GET', `/api/v2/jobs/${job}/cancel/`)).body).toEqual({ can_cancel: true })
    const answer = await cancel(job)
    expect([answer.status, answer.body]).toEqual([202, ''])
    expect(await show(job)).toMatchObject({ status: 'canceled', failed: true, event_processing_finished: true })
    expect(await messages(job)).toEqual([])
    expect((await cancel(job)).status).toBe(405)
  })

  test('a job that is being sent is cancelled through Temporal, however often one asks', async () => {
    const job = await launch()
    await claimOutbox(app.store.db, 100)
    for (const _ of [1, 2]) expect((await cancel(job)).status).toBe(202)
    expect(await show(job)).toMatchObject({ status: 'pending', canceled_on: expect.any(String) })
    const [row] = await app.store.db.select().from(unifiedJobs).where(eq(unifiedJobs.id, job))
    expect(row?.cancelFlag).toBe(true)
    expect((await messages(job)).map(({ kind }) => kind).toSorted()).toEqual(['cancel', 'start'])
  })

  test('cancelling and claiming at once: either it ended here or Temporal is told', async () => {
    for (let round = 0; round < 20; round++) {
      const job = await launch()
      await Promise.all([cancel(job), claimOutbox(app.store.db, 1000)])
      const kinds = (await messages(job)).map(({ kind }) => kind).toSorted()
      const { status } = await show(job)
      expect([status, kinds]).toEqual(kinds.length === 0 ? ['canceled', []] : ['pending', ['cancel', 'start']])
    }
  })

  test('who has no right may not', async () => {
    const answer = await app.call('POST', '/api/v2/jobs/104/cancel/', {}, { as: nobody })
    expect(answer.status).toBe(403)
  })

  test('an active job cannot be deleted; one whose events still come neither', async () => {
    expect((await app.call('DELETE', '/api/v2/jobs/104/')).status).toBe(403)
    const settling = {
      status: 'failed' as const,
      finished: new Date().toISOString(),
      eventsEmitted: 9,
      eventsStored: 1,
    }
    await app.store.db.update(unifiedJobs).set(settling).where(eq(unifiedJobs.id, 103))
    const refused = await app.call('DELETE', '/api/v2/jobs/103/')
    expect([refused.status, refused.body]).toEqual([400, { error: 'Job has not finished processing events.' }])
    expect((await app.call('DELETE', '/api/v2/jobs/54/')).status).toBe(204)
  })

  test('what a pending job waits for', async () => {
    const { db } = app.store
    await signWorker(db, 'worker', 'node')
    await db.delete(outbox)
    await db.update(unifiedJobs).set({ allowSimultaneous: true })
    const first = await launch()
    expect((await show(first)).job_explanation).toMatch(/^Waiting since \S+ to be handed to Temporal\.$/)
    await db.delete(outbox)
    expect((await show(first)).job_explanation).toMatch(/to be prepared\.$/)

    const second = await launch()
    // Its template allows one at a time: what it waits for is known before anybody has sent its start.
    const turn = { reason: 'turn', explanation: (await show(second)).job_explanation, waits_for: [{ id: first }] }
    expect((await app.call('GET', `/api/v2/jobs/${second}/waiting/`)).body).toMatchObject(turn)
    expect(turn.explanation).toMatch(new RegExp(`^Waiting since \\S+: waiting for job-${first} to finish$`))
    await db.delete(outbox)
    const line = { eligibleGroups: [5], waitingSince: '2026-11-21T13:17:15.519959Z' }
    await db
      .update(unifiedJobs)
      .set({ ...line, waitingSince: '2026-11-21T13:17:14Z' })
      .where(eq(unifiedJobs.id, first))
    await db.update(unifiedJobs).set(line).where(eq(unifiedJobs.id, second))
    await app.call('PATCH', '/api/v2/instance_groups/5/', { max_concurrent_jobs: 1 })
    await db
      .insert(attempts)
      .values({ jobId: 104, number: 1, instanceGroupId: 5, workflowId: 'job-104', runId: 'r', phase: 'created' })
    expect((await show(second)).job_explanation).toBe(
      "Waiting since 2026-11-21T13:17:15Z for a place in instance group 'rec-cg': 1 of 1 concurrent jobs are running (max_concurrent_jobs). Place 2 in line.",
    )
    const list = await app.call('GET', `/api/v2/jobs/?id__in=${first},${second}&order_by=id`)
    expect(list.body.results.map((job: { job_explanation: string }) => job.job_explanation.slice(-16))).toEqual([
      'Place 1 in line.',
      'Place 2 in line.',
    ])
    await db.insert(groupBrakes).values({ instanceGroupId: 5, reason: 'the quota compute is used up' })
    expect((await show(second)).job_explanation).toContain("'rec-cg': the quota compute is used up. Place 2")
    await explainWaiting(db, second, 'dependency', 'waiting for project_update-12 to finish')
    expect((await show(second)).job_explanation).toBe(
      'Waiting since 2026-11-21T13:17:15Z: waiting for project_update-12 to finish',
    )
  })
})
