import { and, eq, sql } from 'drizzle-orm'
import { type Refusal, refusalOf } from '../model/capacity.ts'
import { takenOf } from './claims.ts'
import type { Database } from './database.ts'
import { MissingRowError } from './errors.ts'
import { holdsTestPlace } from './preflights.ts'
import { instanceGroups } from './schema/catalog.ts'
import { preflightReports } from './schema/runtime.ts'

/**
 * Takes a place of the group for the pod of a test: null, or why there is none. As exact as a job's claim, which waits for it and counts it; it is held until the test is over, and one that
 * was taken before, by a worker that died, is gone on with. A group that is drained can be tested.
 */
export async function takeTestPlace(
  db: Database,
  { preflightId, groupId }: { preflightId: number; groupId: number },
): Promise<Refusal | null> {
  return await db.transaction(async (tx) => {
    const [group] = await tx.select().from(instanceGroups).where(eq(instanceGroups.id, groupId)).for('no key update')
    if (!group) throw new MissingRowError(`instance group ${groupId} does not exist`)
    const mine = eq(preflightReports.id, preflightId)
    const [taken] = await tx
      .select({ id: preflightReports.id })
      .from(preflightReports)
      .where(and(mine, holdsTestPlace()))
    if (taken) return null
    const refusal = refusalOf({ ...group, drainingSince: null }, await takenOf(tx, groupId), 1)
    if (!refusal) await tx.update(preflightReports).set({ placeSince: sql`now()` }).where(mine)
    return refusal
  })
}
