import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import type { BrakeKind } from '../model/brake.ts'
import { channels } from './channel.ts'
import type { Database } from './database.ts'
import { notify } from './notify.ts'
import { instanceGroups } from './schema/catalog.ts'
import { groupBrakes } from './schema/runtime.ts'

/** Ids of all container groups: those that have a queue of their own. */
export async function containerGroupIds(db: Database): Promise<number[]> {
  const rows = await db
    .select({ id: instanceGroups.id })
    .from(instanceGroups)
    .where(eq(instanceGroups.isContainerGroup, true))
    .orderBy(asc(instanceGroups.id))
  return rows.map((row) => row.id)
}

/** Records why a group admits nobody, for whoever asks why a job waits; the beginning is kept while a brake of that kind stays closed. */
export async function recordBrake(
  db: Database,
  instanceGroupId: number,
  reason: string,
  kind: BrakeKind,
): Promise<void> {
  await db
    .insert(groupBrakes)
    .values({ instanceGroupId, reason, kind })
    .onConflictDoUpdate({
      target: groupBrakes.instanceGroupId,
      set: {
        reason,
        kind,
        since: sql`CASE WHEN ${groupBrakes.kind} = ${kind} THEN ${groupBrakes.since} ELSE now() END`,
      },
    })
}

/** The group admits again. */
export async function clearBrake(db: Database, instanceGroupId: number): Promise<void> {
  await db.delete(groupBrakes).where(eq(groupBrakes.instanceGroupId, instanceGroupId))
}

/** Those of these groups whose gate is closed for one of these reasons, as far as is on record. */
export async function groupsBrakedBy(
  db: Database,
  ids: readonly number[],
  kinds: readonly BrakeKind[],
): Promise<number[]> {
  const rows = await db
    .select({ id: groupBrakes.instanceGroupId })
    .from(groupBrakes)
    .where(and(inArray(groupBrakes.instanceGroupId, [...ids]), inArray(groupBrakes.kind, [...kinds])))
  return rows.map(({ id }) => id)
}

/** Tells every worker to read the group anew, within the caller's transaction: its limit, credential or template changed. */
export async function notifyGroupChanged(tx: Database, instanceGroupId: number): Promise<void> {
  await notify(tx, channels.groups, instanceGroupId)
}
