import { asc, eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Store } from '../database.ts'
import { organizations } from '../schema/catalog.ts'
import { sessions, tokens, users } from '../schema/identity.ts'
import { hosts, inventories } from '../schema/inventory.ts'
import { jobEvents, jobHostSummaries, unifiedJobs } from '../schema/jobs.ts'
import { jobTemplates } from '../schema/templates.ts'
import { storeKinds, testStore } from '../testing.ts'
import { makeEvent, makeJob } from '../testing-data.ts'
import { deleteExpiredSessions, deleteExpiredTokens } from './expired.ts'
import { deleteOldJobs } from './jobs.ts'

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString()
const never = new AbortController().signal

describe.each(storeKinds)('cleaning on %s', (kind) => {
  let store: Store
  beforeAll(async () => {
    store = await testStore(kind)
  })
  afterAll(() => store.close())

  const idsLeft = async () =>
    (await store.db.select({ id: unifiedJobs.id }).from(unifiedJobs).orderBy(asc(unifiedJobs.id))).map(({ id }) => id)

  test('old jobs of every kind go with all that is theirs; what is young, at work or part of what is at work stays', async () => {
    const [template] = await store.db.insert(jobTemplates).values({ name: 'deploy' }).returning()
    const [organization] = await store.db.insert(organizations).values({ name: 'org' }).returning()
    const values = { name: 'inventory', organizationId: organization?.id ?? 0 }
    const [inventory] = await store.db.insert(inventories).values(values).returning()
    const old = { created: daysAgo(40), status: 'successful' } as const
    const gone = await makeJob(store.db, { ...old, jobTemplateId: template?.id })
    const update = await makeJob(store.db, { ...old, type: 'inventory_update', status: 'failed' })
    const young = await makeJob(store.db, { ...old, created: daysAgo(20) })
    const active = await makeJob(store.db, { ...old, status: 'running' })
    const workflow = await makeJob(store.db, { ...old, type: 'workflow_job', status: 'running' })
    const node = await makeJob(store.db, { ...old, workflowJobId: workflow.id })
    const { stdoutRaw: _none, ...event } = makeEvent(1)
    await store.db.insert(jobEvents).values([gone, young].map(({ id }) => ({ ...event, jobId: id })))
    await store.db.insert(jobHostSummaries).values({ jobId: gone.id, hostName: 'h1' })
    const remembered = { lastJobId: gone.id, lastJobHostSummaryId: 1 }
    await store.db.insert(hosts).values({ name: 'h1', inventoryId: inventory?.id ?? 0, ...remembered })
    await store.db.update(jobTemplates).set({ lastJobId: gone.id })

    const all = await idsLeft()
    const counted = await deleteOldJobs(store.db, daysAgo(30), { dryRun: true, signal: never })
    expect(await idsLeft()).toEqual(all)
    const cleaned = await deleteOldJobs(store.db, daysAgo(30), { dryRun: false, signal: never })
    expect(cleaned).toEqual(counted)
    expect(cleaned.filter(({ deleted, skipped }) => deleted + skipped > 0)).toEqual([
      { type: 'job', deleted: 1, skipped: 2 },
      { type: 'inventory_update', deleted: 1, skipped: 0 },
      { type: 'workflow_job', deleted: 0, skipped: 1 },
    ])
    expect(await idsLeft()).toEqual([young.id, active.id, workflow.id, node.id])
    expect(all).toContain(update.id)
    expect((await store.db.select().from(jobEvents)).map(({ jobId }) => jobId)).toEqual([young.id])
    expect(await store.db.select().from(jobHostSummaries)).toEqual([])
    expect(await store.db.select().from(hosts)).toMatchObject([{ lastJobId: null, lastJobHostSummaryId: null }])
    expect(await store.db.select().from(jobTemplates)).toMatchObject([{ lastJobId: null }])
  })

  test('many jobs and many events go in parts, and a cancellation ends between two', async () => {
    const old = { type: 'job' as const, name: 'old', created: daysAgo(400), status: 'failed' as const }
    await store.db.insert(unifiedJobs).values(Array.from({ length: 450 }, () => old))
    const aborted = AbortSignal.abort(new Error('cancelled'))
    await expect(deleteOldJobs(store.db, daysAgo(300), { dryRun: false, signal: aborted })).rejects.toThrow('cancelled')
    const [jobs] = await deleteOldJobs(store.db, daysAgo(300), { dryRun: false, signal: never })
    expect(jobs).toEqual({ type: 'job', deleted: 450, skipped: 0 })
  })

  test('expired tokens and sessions go, others stay', async () => {
    const [user] = await store.db.insert(users).values({ username: 'somebody' }).returning()
    const userId = user?.id ?? 0
    await store.db.insert(tokens).values([
      { userId, tokenHash: 'a', refreshTokenHash: 'r', expires: daysAgo(1) },
      { userId, tokenHash: 'b', expires: daysAgo(1) },
      { userId, tokenHash: 'c', expires: daysAgo(-1) },
    ])
    await store.db.insert(sessions).values([
      { userId, keyHash: 'x', expires: daysAgo(1) },
      { userId, keyHash: 'y', expires: daysAgo(-1) },
    ])
    expect(await deleteExpiredTokens(store.db, true)).toEqual({ access: 2, refresh: 1 })
    expect(await deleteExpiredTokens(store.db, false)).toEqual({ access: 2, refresh: 1 })
    expect(await deleteExpiredSessions(store.db, true)).toBe(1)
    expect(await deleteExpiredSessions(store.db, false)).toBe(1)
    expect(await store.db.select().from(tokens).where(eq(tokens.userId, userId))).toMatchObject([{ tokenHash: 'c' }])
    expect(await store.db.select().from(sessions)).toMatchObject([{ keyHash: 'y' }])
  })
})
