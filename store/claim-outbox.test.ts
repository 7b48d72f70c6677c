import { eq, inArray, sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cancelJob } from './cancel-job.ts'
import { claimOutbox, claimStatement, type FoundLines, type KnownLine, type Lines } from './claim-outbox.ts'
import type { Store } from './database.ts'
import { groupsKey, standing } from './line-key.ts'
import { enqueue } from './outbox.ts'
import { freezeRun } from './prepare.ts'
import { sqlText } from './prepared.ts'
import { readJob } from './run-document.ts'
import { instanceGroups, organizations } from './schema/catalog.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { outbox } from './schema/runtime.ts'
import { storeKinds, testStore } from './testing.ts'
import { makeGroup, makeJob } from './testing-data.ts'

/** Keeps lines as long as a test wants, and remembers what it was told. */
function keeper(depth: number, sent: number[] = [], known: KnownLine[] = []) {
  const told: FoundLines = { full: [], over: [], onTheWay: [] }
  const lines: Lines = {
    depth,
    known: () => known,
    sent: () => sent,
    found: (found) => void Object.assign(told, found),
  }
  return { lines, told }
}

/** Lines that were found full, as a claim is to know them. */
const knownOf = ({ full }: FoundLines, allowance: number | null): KnownLine[] =>
  full.map((line) => ({ ...line, allowance }))

describe.each(storeKinds)('lines of starts on %s', (kind) => {
  let store: Store
  let group: number
  beforeAll(async () => {
    store = await testStore(kind)
  })
  beforeEach(async () => {
    await store.db.delete(outbox)
    await store.db.delete(unifiedJobs)
    group = await makeGroup(store.db, 1)
  })
  afterAll(() => store.close())

  const launch = async (count: number, columns: Parameters<typeof makeJob>[1] = {}) => {
    const ids: number[] = []
    for (let made = 0; made < count; made++) {
      const { id } = await makeJob(store.db, { eligibleGroups: [group], ...columns })
      await enqueue(store.db, 'start', id)
      ids.push(id)
    }
    return ids
  }
  const claimed = async (lines: Lines, limit = 8) =>
    (await claimOutbox(store.db, limit, { lines })).map(({ subjectId }) => subjectId).toSorted((a, b) => a - b)
  const prepared = async (...ids: number[]) => {
    await store.db.delete(outbox).where(inArray(outbox.subjectId, ids))
    for (const jobId of ids)
      await freezeRun(store.db, jobId, { executionEnvironmentId: null, scmRevision: '', controllerNode: '' })
  }
  const change = (id: number, columns: Partial<typeof unifiedJobs.$inferInsert>) =>
    store.db.update(unifiedJobs).set(columns).where(eq(unifiedJobs.id, id))

  test('a line is filled up to its depth, and goes on, in order, as places are given', async () => {
    const ids = await launch(6)
    const { lines, told } = keeper(3)
    expect(await claimed(lines)).toEqual(ids.slice(0, 3))
    await prepared(...ids.slice(0, 3))
    expect(await claimed(lines)).toEqual([])
    expect(told.full).toMatchObject([{ urgency: 3, organizationId: 0 }])
    await change(ids[1] ?? 0, { status: 'waiting' })
    expect(await claimed(lines)).toEqual(ids.slice(3, 4))
  })

  test('what was sent and is not in line yet counts; what waits for other things, or has ended, does not', async () => {
    const ids = await launch(8)
    const [first = 0, second = 0, third = 0] = ids
    await store.db.delete(outbox).where(inArray(outbox.subjectId, [first, second, third]))
    const { lines, told } = keeper(4, [first, second, third])
    await change(second, { waitingReason: 'turn', waitingSince: new Date().toISOString() })
    await change(third, { status: 'canceled' })
    expect(await claimed(lines)).toEqual(ids.slice(3, 6))
    expect(told.onTheWay).toEqual([first])
  })

  test('jobs whose template allows one at a time hold back no others', async () => {
    const blocked = await launch(5)
    const others = await launch(2)
    await prepared(...blocked)
    for (const id of blocked) await change(id, { waitingReason: 'turn' })
    expect(await claimed(keeper(3).lines)).toEqual(others)
  })

  test('a more urgent job, another organization and other groups have lines of their own', async () => {
    const [organization] = await store.db
      .insert(organizations)
      .values({ name: `o${group}` })
      .returning()
    const other = await makeGroup(store.db)
    const deep = await launch(5)
    await prepared(...deep.slice(0, 2))
    const urgent = await launch(1, { priority: 1 })
    const less = await launch(1, { priority: 5 })
    const theirs = await launch(1, { organizationId: organization?.id })
    const elsewhere = await launch(1, { eligibleGroups: [group, other] })
    const all = [...urgent, ...less, ...theirs, ...elsewhere].toSorted((a, b) => a - b)
    expect(await claimed(keeper(2).lines)).toEqual(all)
  })

  test('what needs no pod, has no group, or is a node’s is never held back, and a node’s job holds back nobody', async () => {
    const workflow = await makeJob(store.db, { type: 'workflow_job' })
    const nodes = await launch(3, { workflowJobId: workflow.id })
    const [mine] = await launch(1)
    const free = [
      ...(await launch(2, { type: 'project_update' })),
      ...(await launch(2, { type: 'inventory_update' })),
      ...(await launch(2, { eligibleGroups: [] })),
    ]
    await prepared(...nodes)
    expect(await claimed(keeper(1).lines)).toEqual([mine, ...free])
    const [held] = await launch(1)
    await prepared(mine ?? 0)
    expect(await claimed(keeper(0).lines)).toEqual([])
    expect(await claimed(keeper(2).lines)).toEqual([held])
  })

  test('a line that is known to be full is not looked at, everything else is sent meanwhile', async () => {
    const [first] = await launch(3)
    const { lines, told } = keeper(1)
    expect(await claimed(lines)).toEqual([first])
    await prepared(first ?? 0)
    await claimed(lines)
    await enqueue(store.db, 'cancel', first ?? 0)
    const knowing = keeper(9, [], knownOf(told, 0))
    expect(await claimed(knowing.lines)).toEqual([first])
    expect(await claimed(keeper(9).lines)).toHaveLength(2)
  })

  test('a line that was full is refilled by no more than it is allowed, however much room it has', async () => {
    const ids = await launch(8)
    const standing = ids.slice(0, 4)
    await prepared(...standing)
    const { lines, told } = keeper(4)
    expect(await claimed(lines)).toEqual([])
    for (const id of standing) await change(id, { status: 'canceled' })
    const allowed = keeper(4, [], knownOf(told, 3))
    expect(await claimed(allowed.lines)).toEqual(ids.slice(4, 7))
    expect(allowed.told).toEqual({ full: [], over: [], onTheWay: [] })
    await prepared(...ids.slice(4, 7))
    await change(ids[4] ?? 0, { status: 'waiting' })
    // No more than there is room for either: two stand.
    const more = await launch(4)
    expect(await claimed(keeper(3, [], knownOf(told, 3)).lines)).toEqual([ids[7]])
    await prepared(ids[7] ?? 0)
    expect(await claimed(keeper(6, [], knownOf(told, null)).lines)).toEqual(more.slice(0, 3))
  })

  test('a line of which nothing rests any more is told of: it is to fill up at once the next time', async () => {
    const [first = 0] = await launch(2)
    await prepared(first)
    const { lines, told } = keeper(1)
    await claimed(lines)
    const before = keeper(1, [], knownOf(told, 0))
    await claimed(before.lines)
    expect(before.told.over).toEqual([])
    await store.db.delete(outbox)
    const after = keeper(1, [], knownOf(told, 0))
    await claimed(after.lines)
    expect(after.told.over).toEqual(told.full)
  })

  test('a line whose groups are all gone is sent: each of its jobs is told when it begins', async () => {
    const ids = await launch(4)
    await prepared(...ids.slice(0, 2))
    expect(await claimed(keeper(2).lines)).toEqual([])
    const full = keeper(2)
    await claimed(full.lines)
    await store.db.delete(instanceGroups).where(eq(instanceGroups.id, group))
    const knowing = keeper(2, [], knownOf(full.told, 1))
    expect(await claimed(knowing.lines)).toEqual(ids.slice(2, 3))
    // So that nothing is saved of it from here on.
    expect(knowing.told.over).toEqual(full.told.full)
    expect(await claimed(keeper(2).lines)).toEqual(ids.slice(3))
  })

  test('one in eight is the oldest, of lines with room only', async () => {
    const [full = 0] = await launch(3, { priority: 4 })
    await prepared(full)
    const [late] = await launch(1, { priority: 5 })
    const urgent = await launch(9, { priority: 1 })
    expect(await claimed(keeper(1).lines)).toEqual([late, urgent[0]])
    await prepared(urgent[0] ?? 0, late ?? 0)
    expect(await claimed(keeper(30).lines)).toHaveLength(8)
  })

  test('a held job that is cancelled has ended, without Temporal; claimed at the same moment, exactly one has it', async () => {
    for (let round = 0; round < 20; round++) {
      const [id = 0] = await launch(1)
      const [rows] = await Promise.all([
        claimOutbox(store.db, 8, { lines: keeper(99).lines }),
        store.db.transaction((tx) => cancelJob(tx, id)),
      ])
      const job = await readJob(store.db, id)
      const kinds = (await store.db.select().from(outbox).where(eq(outbox.subjectId, id))).map((row) => row.kind)
      if (rows.some(({ subjectId }) => subjectId === id)) {
        expect([job?.status, job?.cancelFlag, kinds.toSorted()]).toEqual(['pending', true, ['cancel', 'start']])
      } else expect([job?.status, kinds]).toEqual(['canceled', []])
    }
  })

  test('the line of a job with very many groups is as short as any other', async () => {
    const eligibleGroups = Array.from({ length: 3_000 }, (_, index) => index + 1)
    const [id = 0] = await launch(1, { eligibleGroups })
    await prepared(id)
    const [again] = await launch(1, { eligibleGroups })
    expect(await claimed(keeper(1).lines)).toEqual([])
    expect(await claimed(keeper(2).lines)).toEqual([again])
  })

  test('a claim costs the same however many starts rest: nothing is scanned, and it is never worth compiling', async () => {
    const [id = 0] = await launch(1)
    await store.db.execute(sql`INSERT INTO outbox (kind, subject_id, urgency, line)
      SELECT 'start', ${id} + number, 3, md5(${`[${group}]`}) FROM generate_series(1, 20000) AS number`)
    await store.db.execute(sql`ANALYZE outbox, unified_jobs`)
    const statement = claimStatement({ limit: 8, depth: 500, starts: true, timed: false })
    const { sql: text } = sqlText(statement)
    const given = text.replace('$1', `'{}'`).replace('$2', `'[]'`)
    const { rows } = await store.db.execute<Record<string, string>>(sql.raw(`EXPLAIN ${given}`))
    const plan = rows.map((row) => Object.values(row)[0]).join('\n')
    expect(plan).not.toMatch(/Seq Scan on outbox/)
    expect(plan).toMatch(/LockRows[\s\S]*Scan using outbox_urgency_organization_id_line_id_index on outbox/)
    // What jit_above_cost is by default.
    expect(Number(/cost=[\d.]+\.\.([\d.]+)/.exec(plan)?.[1])).toBeLessThan(100_000)
  })

  test('how long a line is costs the same at any depth: it is read from the index that is made for it', async () => {
    const plan = await store.db.transaction(async (tx) => {
      await tx.execute(sql`SET LOCAL enable_seqscan = off`)
      const { rows } = await tx.execute<Record<string, string>>(sql`EXPLAIN SELECT FROM unified_jobs AS job
        WHERE ${standing(sql`job`)} AND job.priority = 3 AND coalesce(job.organization_id, 0) = 0 AND ${groupsKey(sql`job`)} = 'x'`)
      return rows.map((row) => Object.values(row)[0]).join('\n')
    })
    expect(plan).toMatch(/Index (Only )?(Scan using|Cond.*|Scan on) ?unified_jobs_standing_index/)
  })
})
