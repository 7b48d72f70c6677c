import { and, desc, eq, gt, inArray, isNotNull, isNull, lte, type SQL, sql } from 'drizzle-orm'
import type { PreflightReport } from '../model/preflight.ts'
import { channels } from './channel.ts'
import type { Database } from './database.ts'
import { notify } from './notify.ts'
import { enqueue } from './outbox.ts'
import { preflightReports } from './schema/runtime.ts'

/** A test of a group or credential as stored. */
export type PreflightRow = typeof preflightReports.$inferSelect

/** What is tested: exactly one of the two. */
export type PreflightSubject = { instanceGroupId: number } | { credentialId: number }

/** Tests of one subject that are kept. */
const kept = 20
/** By then a test is over, whatever happened to its worker; its pod is nobody's after that. */
const longestSeconds = 15 * 60

/** Writes down a test and asks the worker to make it, within the caller's transaction. */
export async function askForPreflight(
  tx: Database,
  subject: PreflightSubject,
  { runPod }: { runPod: boolean },
): Promise<PreflightRow> {
  const [row] = await tx
    .insert(preflightReports)
    .values({ ...subject, runPod, trigger: 'manual' })
    .returning()
  if (!row) throw new Error('a test was not stored')
  await enqueue(tx, 'preflight', row.id)
  return row
}

/** Writes down a nightly test of a group; undefined when one of its tests is under way, which will tell as much. */
export async function beginNightlyPreflight(db: Database, instanceGroupId: number): Promise<number | undefined> {
  return await db.transaction(async (tx) => {
    await tx.execute(sql`SELECT pg_advisory_xact_lock(hashtext('mayfly preflight'), ${instanceGroupId})`)
    const [underWay] = await tx
      .select({ id: preflightReports.id })
      .from(preflightReports)
      .where(and(eq(preflightReports.instanceGroupId, instanceGroupId), stillRuns()))
      .limit(1)
    if (underWay) return undefined
    const [row] = await tx
      .insert(preflightReports)
      .values({ instanceGroupId, trigger: 'nightly' })
      .returning({ id: preflightReports.id })
    return row?.id
  })
}

/** One test; undefined when there is none. */
export async function readPreflight(db: Database, id: number): Promise<PreflightRow | undefined> {
  const [row] = await db.select().from(preflightReports).where(eq(preflightReports.id, id))
  return row
}

/** The tests of a subject that are kept, newest first. */
export async function readPreflights(db: Database, subject: PreflightSubject): Promise<PreflightRow[]> {
  return await db.select().from(preflightReports).where(ofSubject(subject)).orderBy(desc(preflightReports.id))
}

/** Stores what a test found, tells whoever waits for it, and forgets old tests of the same subject. What is over stays as it is. */
export async function endPreflight(db: Database, id: number, report: PreflightReport): Promise<void> {
  await db.transaction(async (tx) => {
    const [row] = await tx
      .update(preflightReports)
      .set({ ok: report.ok, report, finished: sql`now()` })
      .where(and(eq(preflightReports.id, id), isNull(preflightReports.finished)))
      .returning()
    if (!row) return
    const subject = subjectOf(row)
    const oldest = tx
      .select({ id: preflightReports.id })
      .from(preflightReports)
      .where(ofSubject(subject))
      .orderBy(desc(preflightReports.id))
      .offset(kept)
      .limit(1)
    await tx.delete(preflightReports).where(and(ofSubject(subject), lte(preflightReports.id, oldest)))
    await notify(tx, channels.preflights, id)
  })
}

/** Ids of tests that are under way: each owns the pod that is labelled with it. */
export async function preflightsUnderWay(db: Database): Promise<Set<number>> {
  const rows = await db.select({ id: preflightReports.id }).from(preflightReports).where(stillRuns())
  return new Set(rows.map(({ id }) => id))
}

/** The last finished test of each group that has one, by group. */
export async function lastGroupPreflights(
  db: Database,
  groupIds?: readonly number[],
): Promise<Map<number, PreflightRow>> {
  if (groupIds?.length === 0) return new Map()
  const newest = db
    .select({ id: sql<number>`max(${preflightReports.id})` })
    .from(preflightReports)
    .where(
      and(
        sql`${preflightReports.finished} IS NOT NULL AND ${preflightReports.instanceGroupId} IS NOT NULL`,
        groupIds && inArray(preflightReports.instanceGroupId, [...groupIds]),
      ),
    )
    .groupBy(preflightReports.instanceGroupId)
  const rows = await db.select().from(preflightReports).where(inArray(preflightReports.id, newest))
  return new Map(rows.flatMap((row) => (row.instanceGroupId === null ? [] : [[row.instanceGroupId, row]])))
}

/** What a row tests. */
function subjectOf({ instanceGroupId, credentialId }: PreflightRow): PreflightSubject {
  if (instanceGroupId !== null) return { instanceGroupId }
  if (credentialId !== null) return { credentialId }
  throw new Error('a test is of a group or a credential')
}

function ofSubject(subject: PreflightSubject) {
  return 'instanceGroupId' in subject
    ? eq(preflightReports.instanceGroupId, subject.instanceGroupId)
    : eq(preflightReports.credentialId, subject.credentialId)
}

/** Whether the pod of a test takes a place of its group, as a condition on its row. One that was given up long ago takes none any more. */
export function holdsTestPlace(): SQL | undefined {
  return and(isNotNull(preflightReports.placeSince), stillRuns())
}

function stillRuns() {
  return and(
    isNull(preflightReports.finished),
    gt(preflightReports.created, sql`now() - make_interval(secs => ${longestSeconds})`),
  )
}
