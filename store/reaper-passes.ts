import { and, desc, eq, isNotNull, isNull, lt, sql } from 'drizzle-orm'
import type { ReaperReport } from '../model/reaper-report.ts'
import { channels } from './channel.ts'
import type { Database } from './database.ts'
import { notify } from './notify.ts'
import { enqueue } from './outbox.ts'
import { reaperPasses } from './schema/runtime.ts'

/** A pass of the reaper as stored. */
export type ReaperPassRow = typeof reaperPasses.$inferSelect

/** Passes of a kind that are kept. */
const kept = 20

/** Asks the worker for a pass, within the caller's transaction. */
export async function askForPass(
  tx: Database,
  pass: { dryRun: boolean; createdById: number | null },
): Promise<ReaperPassRow> {
  const [row] = await tx
    .insert(reaperPasses)
    .values({ ...pass, trigger: 'manual' })
    .returning()
  if (!row) throw new Error('a pass was not stored')
  await enqueue(tx, 'reap', row.id)
  return row
}

/** The pass that is to be made: the one that was asked for, undefined when it is over or forgotten; without an id a new one of the schedule. */
export async function beginPass(db: Database, id: number | null): Promise<ReaperPassRow | undefined> {
  if (id === null) {
    const [row] = await db.insert(reaperPasses).values({ dryRun: false, trigger: 'schedule' }).returning()
    return row
  }
  const [row] = await db
    .select()
    .from(reaperPasses)
    .where(and(eq(reaperPasses.id, id), isNull(reaperPasses.finished)))
  return row
}

/** Stores what a pass found, tells whoever waits for it, and forgets old passes of its kind. */
export async function endPass(
  db: Database,
  { id, trigger }: Pick<ReaperPassRow, 'id' | 'trigger'>,
  report: ReaperReport,
): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.update(reaperPasses).set({ report, finished: sql`now()` }).where(eq(reaperPasses.id, id))
    const oldest = tx
      .select({ id: reaperPasses.id })
      .from(reaperPasses)
      .where(eq(reaperPasses.trigger, trigger))
      .orderBy(desc(reaperPasses.id))
      .offset(kept - 1)
      .limit(1)
    await tx.delete(reaperPasses).where(and(eq(reaperPasses.trigger, trigger), lt(reaperPasses.id, oldest)))
    await notify(tx, channels.reaperPasses, id)
  })
}

/** One pass; undefined when there is none. */
export async function readPass(db: Database, id: number): Promise<ReaperPassRow | undefined> {
  const [row] = await db.select().from(reaperPasses).where(eq(reaperPasses.id, id))
  return row
}

/** The passes that are kept, newest first. */
export async function readPasses(db: Database): Promise<ReaperPassRow[]> {
  return await db.select().from(reaperPasses).orderBy(desc(reaperPasses.id))
}

/** What the last pass that came to its end found, dry or not; undefined before the first one. */
export async function lastMeasure(db: Database): Promise<{ report: ReaperReport; measured: string } | undefined> {
  const [row] = await db
    .select({ report: reaperPasses.report, measured: reaperPasses.finished })
    .from(reaperPasses)
    .where(isNotNull(reaperPasses.finished))
    .orderBy(desc(reaperPasses.finished))
    .limit(1)
  return row?.report && row.measured ? { report: row.report, measured: row.measured } : undefined
}
