import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { getAttempt, recordDelivered, recordEnded, recordPod, releaseAttempt } from './attempts.ts'
import type { AttemptRow } from './claims.ts'
import type { Store } from './database.ts'
import { transitionJob, transitionLocked } from './job-status.ts'
import { lockJob } from './lock-order.ts'
import { readJob } from './run-document.ts'
import { organizations } from './schema/catalog.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { notificationAttachments, notificationTemplates } from './schema/notifications.ts'
import { jobTemplates } from './schema/templates.ts'
import { takeStep } from './step.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeAttempt } from './testing-data.ts'

const place = {
  clusterKey: 'cluster',
  credentialId: 3,
  namespace: 'jobs',
  podName: 'automation-job-1-1',
  podUid: 'uid',
}

describe.each(storeKinds)('steps of attempt and job on %s', (kind) => {
  let store: Store
  let templateId: number
  beforeAll(async () => {
    store = await testStore(kind)
    const [template] = await store.db.insert(jobTemplates).values({ name: 'deploy', playbook: 'site.yml' }).returning()
    templateId = template?.id ?? 0
  })
  afterAll(() => store.close())

  const jobOf = async ({ jobId }: { jobId: number }) => {
    const job = await readJob(store.db, jobId)
    if (!job) throw new Error('job is gone')
    return job
  }
  const owned = ({ id, runId }: AttemptRow) => ({ attemptId: id, runId })
  const attemptNow = ({ id }: AttemptRow) => getAttempt(store.db, id)

  /** An attempt of a job that waits in line, with what it waits for. */
  async function claimed(): Promise<AttemptRow> {
    const attempt = await makeAttempt(store.db)
    await store.db
      .update(unifiedJobs)
      .set({
        jobTemplateId: templateId,
        unifiedJobTemplateId: templateId,
        waitingReason: 'capacity',
        jobExplanation: 'Waits for a place.',
      })
      .where(eq(unifiedJobs.id, attempt.jobId))
    return attempt
  }

  const created = async (attempt: AttemptRow) =>
    await takeStep(store.db, owned(attempt), await jobOf(attempt), {
      name: 'created',
      place,
      instanceGroupId: attempt.instanceGroupId ?? 0,
    })
  const delivered = async (attempt: AttemptRow) =>
    await takeStep(store.db, owned(attempt), await jobOf(attempt), { name: 'delivered' })

  /** What of two rows must be equal when both took the same way: all but what tells one from the other, and when it was. */
  const alike = (row: object) => {
    const times = ['modified', 'started', 'claimedAt', 'podCreatedAt', 'deliveredAt']
    const own = ['id', 'jobId', 'instanceGroupId', 'created', 'waitingSince', 'workflowId', 'name']
    const kept = Object.entries(row).filter(([column]) => !own.includes(column))
    return Object.fromEntries(kept.map(([column, value]) => [column, times.includes(column) ? value !== null : value]))
  }

  test('leave what a transaction of the two writes leaves', async () => {
    const [one, other] = [await claimed(), await claimed()]
    expect(await created(one)).toBe(true)
    await store.db.transaction(async (tx) => {
      const { job } = await recordPod(tx, owned(other), place)
      await transitionLocked(tx, job, 'waiting', { instanceGroupId: other.instanceGroupId })
    })
    expect(alike((await attemptNow(one)) ?? {})).toEqual(alike((await attemptNow(other)) ?? {}))
    expect(alike(await jobOf(one))).toEqual(alike(await jobOf(other)))
    expect(await jobOf(one)).toMatchObject({ status: 'waiting', jobExplanation: '', waitingReason: '' })

    await store.db.transaction(async (tx) => {
      const { job } = await recordDelivered(tx, owned(other))
      await transitionLocked(tx, job, 'running')
    })
    expect(await delivered(one)).toBe(true)
    expect(alike((await attemptNow(one)) ?? {})).toEqual(alike((await attemptNow(other)) ?? {}))
    expect(alike(await jobOf(one))).toEqual(alike(await jobOf(other)))
    const [template] = await store.db.select().from(jobTemplates).where(eq(jobTemplates.id, templateId))
    expect(template).toMatchObject({ status: 'running', currentJobId: one.jobId })
  })

  test('are told once', async () => {
    const attempt = await claimed()
    const heard: (string | null)[] = []
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = await store.listen('mayfly_jobs', (payload) => {
      if (payload === '0') resolve()
      else heard.push(payload)
    })
    await created(attempt)
    await delivered(attempt)
    await store.db.execute(`SELECT pg_notify('mayfly_jobs', '0')`)
    await promise
    await stop()
    expect(heard.filter((payload) => payload === String(attempt.jobId))).toHaveLength(2)
  })

  test('are not taken, and change nothing, where something else has happened', async () => {
    const refusals: [string, (attempt: AttemptRow) => Promise<unknown>][] = [
      ['the place was given back', (attempt) => releaseAttempt(store.db, owned(attempt))],
      ['the attempt has ended', (attempt) => recordEnded(store.db, owned(attempt), null)],
      ['the job has ended', ({ jobId }) => transitionJob(store.db, jobId, 'canceled')],
      ['the job runs already', ({ jobId }) => transitionJob(store.db, jobId, 'running')],
    ]
    for (const [what, happen] of refusals) {
      const attempt = await claimed()
      const job = await jobOf(attempt)
      await happen(attempt)
      const [attemptBefore, jobBefore] = [await attemptNow(attempt), await jobOf(attempt)]
      const step = { name: 'created', place, instanceGroupId: 1 } as const
      expect(await takeStep(store.db, owned(attempt), job, step), what).toBe(false)
      expect(await attemptNow(attempt), what).toEqual(attemptBefore)
      expect(await jobOf(attempt), what).toEqual(jobBefore)
    }
    const attempt = await claimed()
    await created(attempt)
    expect(
      await takeStep(store.db, { ...owned(attempt), runId: 'other' }, await jobOf(attempt), { name: 'delivered' }),
    ).toBe(false)
    expect((await jobOf(attempt)).status).toBe('waiting')
  })

  test('are left to a transaction where somebody wants to be told', async () => {
    const [organization] = await store.db.insert(organizations).values({ name: 'news' }).returning()
    const [wanting] = await store.db
      .insert(notificationTemplates)
      .values({
        name: 'chat',
        organizationId: organization?.id ?? 0,
        notificationType: 'webhook',
        notificationConfiguration: {},
      })
      .returning()
    const attempt = await claimed()
    await created(attempt)
    const attached = { list: 'started' as const, jobTemplateId: templateId, notificationTemplateId: wanting?.id ?? 0 }
    await store.db.insert(notificationAttachments).values(attached)
    expect(await delivered(attempt)).toBe(false)
    expect(await attemptNow(attempt)).toMatchObject({ phase: 'created', deliveredAt: null })
    expect((await jobOf(attempt)).status).toBe('waiting')
    await store.db.delete(notificationAttachments)
    expect(await delivered(attempt)).toBe(true)

    const hooked = await claimed()
    const job = { ...(await jobOf(hooked)), webhookService: 'github', webhookCredentialId: 1 }
    const asked = { ...job, extraVars: '{"awx_webhook_status_api": "https://example.org"}' }
    const step = { name: 'created', place, instanceGroupId: 1 } as const
    expect(await takeStep(store.db, owned(hooked), asked, step)).toBe(false)
  })

  test('wait for who changes the job, and keep that change', async () => {
    const attempt = await claimed()
    const job = await jobOf(attempt)
    let taken: Promise<boolean> | undefined
    await store.db.transaction(async (tx) => {
      await lockJob(tx, attempt.jobId)
      taken = takeStep(store.db, owned(attempt), job, {
        name: 'created',
        place,
        instanceGroupId: attempt.instanceGroupId ?? 0,
      })
      await tx.update(unifiedJobs).set({ cancelFlag: true }).where(eq(unifiedJobs.id, attempt.jobId))
    })
    expect(await taken).toBe(true)
    expect(await jobOf(attempt)).toMatchObject({ status: 'waiting', cancelFlag: true })
  })
})
