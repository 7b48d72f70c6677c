import { asc, eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readArtifacts, storeArtifactChunk } from './artifacts.ts'
import type { Store } from './database.ts'
import { packEvents } from './event-rows.ts'
import { appendEvents } from './events.ts'
import { readFacts, storeFacts } from './facts.ts'
import { transitionJob } from './job-status.ts'
import { propagateEventFlags, storeHostSummaries } from './outcome.ts'
import { organizations } from './schema/catalog.ts'
import { hosts, inventories } from './schema/inventory.ts'
import { jobEvents, jobHostSummaries } from './schema/jobs.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeAttempt, makeEvent, makeJob } from './testing-data.ts'

const none = { changed: 0, dark: 0, failures: 0, ignored: 0, ok: 0, processed: 0, rescued: 0, skipped: 0 }

describe.each(storeKinds)('outcomes on %s', (kind) => {
  let store: Store
  let inventoryId: number
  beforeAll(async () => {
    store = await testStore(kind)
    const [organization] = await store.db.insert(organizations).values({ name: 'org' }).returning()
    const [inventory] = await store.db
      .insert(inventories)
      .values({ name: 'inventory', organizationId: organization?.id ?? 0 })
      .returning()
    inventoryId = inventory?.id ?? 0
  })
  afterAll(() => store.close())

  const makeHosts = async (names: string[]) =>
    (
      await store.db
        .insert(hosts)
        .values(names.map((name) => ({ name, inventoryId })))
        .returning()
    ).map(({ id }) => id)

  test('host summaries are stored, and again when told again; hosts know their last job when it has ended', async () => {
    const [web1 = 0, web2 = 0] = await makeHosts(['web1', 'web2'])
    const job = await makeJob(store.db)
    await storeHostSummaries(store.db, job.id, [
      { ...none, hostId: web1, hostName: 'web1', ok: 3 },
      { ...none, hostId: web2, hostName: 'web2', dark: 1 },
      { ...none, hostId: null, hostName: 'made-up', failures: 1 },
    ])
    await storeHostSummaries(store.db, job.id, [{ ...none, hostId: web1, hostName: 'web1', ok: 4, changed: 1 }])
    const rows = await store.db
      .select()
      .from(jobHostSummaries)
      .where(eq(jobHostSummaries.jobId, job.id))
      .orderBy(asc(jobHostSummaries.hostName))
    expect(rows).toMatchObject([
      { hostName: 'made-up', failed: true, hostId: null },
      { hostName: 'web1', failed: false, ok: 4, changed: 1, hostId: web1 },
      { hostName: 'web2', failed: true, dark: 1 },
    ])
    await transitionJob(store.db, job.id, 'running')
    const hostOf = async (id: number) => (await store.db.select().from(hosts).where(eq(hosts.id, id)))[0]
    expect(await hostOf(web1)).toMatchObject({ lastJobId: null, lastJobHostSummaryId: null })
    await transitionJob(store.db, job.id, 'failed')
    expect(await hostOf(web1)).toMatchObject({ lastJobId: job.id, lastJobHostSummaryId: rows[1]?.id })
    expect(await hostOf(web2)).toMatchObject({ lastJobId: job.id, lastJobHostSummaryId: rows[2]?.id })
    await storeHostSummaries(store.db, job.id, [])
  })

  test('many hosts fit', async () => {
    const job = await makeJob(store.db)
    const summaries = Array.from({ length: 2_500 }, (_, index) => ({ ...none, hostId: null, hostName: `host${index}` }))
    await storeHostSummaries(store.db, job.id, summaries)
    expect(await store.db.$count(jobHostSummaries, eq(jobHostSummaries.jobId, job.id))).toBe(2_500)
  })

  test('failed and changed rise to task, play and playbook, and nowhere else', async () => {
    const { id: attemptId, jobId, runId } = await makeAttempt(store.db)
    const events = [
      makeEvent(1, { uuid: 'playbook' }),
      makeEvent(2, { uuid: 'play 1', parentUuid: 'playbook' }),
      makeEvent(3, { uuid: 'task 1', parentUuid: 'play 1' }),
      makeEvent(4, { uuid: 'result 1', parentUuid: 'task 1', failed: true }),
      makeEvent(5, { uuid: 'task 2', parentUuid: 'play 1' }),
      makeEvent(6, { uuid: 'result 2', parentUuid: 'task 2', changed: true }),
      makeEvent(7, { uuid: 'play 2', parentUuid: 'playbook' }),
      makeEvent(8, { uuid: 'orphan', parentUuid: 'unknown', failed: true }),
      makeEvent(9, { uuid: 'self', parentUuid: 'self', failed: true }),
    ]
    await appendEvents(store, {
      attemptId,
      jobId,
      runId,
      fromOffset: 0,
      toOffset: 1,
      events: [packEvents(jobId, events)],
    })
    const other = await makeAttempt(store.db)
    await appendEvents(store, {
      attemptId: other.id,
      jobId: other.jobId,
      runId,
      fromOffset: 0,
      toOffset: 1,
      events: [packEvents(other.jobId, [makeEvent(1, { uuid: 'playbook' })])],
    })
    await propagateEventFlags(store.db, jobId)
    await propagateEventFlags(store.db, jobId)
    const flagged = async (id: number, flag: 'failed' | 'changed') =>
      (await store.db.select().from(jobEvents).where(eq(jobEvents.jobId, id)).orderBy(asc(jobEvents.counter)))
        .filter((event) => event[flag])
        .map((event) => event.uuid)
    expect(await flagged(jobId, 'failed')).toEqual(['playbook', 'play 1', 'task 1', 'result 1', 'orphan', 'self'])
    expect(await flagged(jobId, 'changed')).toEqual(['playbook', 'play 1', 'task 2', 'result 2'])
    expect(await flagged(other.jobId, 'failed')).toEqual([])
  })

  test('artifacts come back in order, and a reader that began anew leaves nothing of the old', async () => {
    const read = async (jobId: number) => {
      const pieces: Buffer[] = []
      for await (const piece of readArtifacts(store.db, jobId)) pieces.push(piece)
      return Buffer.concat(pieces)
    }
    const job = await makeJob(store.db)
    expect((await read(job.id)).length).toBe(0)
    const binary = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    for (const sequence of [0, 1, 2]) await storeArtifactChunk(store.db, job.id, sequence, binary)
    expect((await read(job.id)).equals(Buffer.concat([binary, binary, binary]))).toBe(true)
    await storeArtifactChunk(store.db, job.id, 0, Buffer.from('new'))
    await storeArtifactChunk(store.db, job.id, 1, Buffer.from(' zip'))
    expect((await read(job.id)).toString()).toBe('new zip')
  })

  test('facts are kept by host; a cleared or vanished host has none', async () => {
    const names = Array.from({ length: 120 }, (_, index) => `fact${String(index).padStart(3, '0')}`)
    const ids = await makeHosts(names)
    await storeFacts(
      store.db,
      ids.map((hostId) => ({ hostId, facts: { ansible_hostname: `h${hostId}`, nul: 'a\0b' } })),
    )
    await storeFacts(store.db, [
      { hostId: ids[5] ?? 0, facts: {} },
      { hostId: 999_999, facts: { a: 1 } },
    ])
    const seen: string[] = []
    for await (const row of readFacts(store.db, inventoryId)) {
      expect(row.facts).toEqual({ ansible_hostname: `h${row.hostId}`, nul: 'a\0b' })
      expect(row.modified).not.toBeNull()
      seen.push(row.hostName)
    }
    expect(seen).toEqual(names.filter((name) => name !== 'fact005'))
  })
})
