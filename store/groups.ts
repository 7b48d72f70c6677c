import { and, asc, eq, inArray, isNull, sql } from 'drizzle-orm'
import { podName } from '../model/attempt.ts'
import type { BrakeKind } from '../model/brake.ts'
import { channels } from './channel.ts'
import type { Database } from './database.ts'
import { notify } from './notify.ts'
import { preparedOn } from './prepared.ts'
import { credentials, credentialTypes, instanceGroups } from './schema/catalog.ts'
import { attempts, groupBrakes } from './schema/runtime.ts'
import { type TypedCredential, typedCredential, typedCredentialColumns } from './typed-credential.ts'

/** Ids of all container groups: those that have a queue of their own. */
export async function containerGroupIds(db: Database): Promise<number[]> {
  const rows = await db
    .select({ id: instanceGroups.id })
    .from(instanceGroups)
    .where(eq(instanceGroups.isContainerGroup, true))
    .orderBy(asc(instanceGroups.id))
  return rows.map((row) => row.id)
}

/** An instance group and what reaches its cluster. */
export interface GroupDocument {
  group: typeof instanceGroups.$inferSelect
  /** What reaches its cluster; null: the worker's own (in-cluster or kubeconfig), unless group.credentialRequired says that one was deleted. */
  credential: TypedCredential | null
}

const groupsWithCredential = (db: Database) =>
  db
    .select({ group: instanceGroups, ...typedCredentialColumns })
    .from(instanceGroups)
    .leftJoin(credentials, eq(credentials.id, instanceGroups.credentialId))
    .leftJoin(credentialTypes, eq(credentialTypes.id, credentials.credentialTypeId))

const groupAlone = preparedOn((db) =>
  groupsWithCredential(db)
    .where(eq(instanceGroups.id, sql.placeholder('groupId')))
    .prepare('group_alone'),
)

/** Reads an instance group with its credential; undefined when there is none. */
export async function readGroup(db: Database, groupId: number): Promise<GroupDocument | undefined> {
  const [row] = await groupAlone(db).execute({ groupId })
  return row && { group: row.group, credential: typedCredential(row) }
}

/** Reads all container groups with their credentials. */
export async function readContainerGroups(db: Database): Promise<GroupDocument[]> {
  const rows = await groupsWithCredential(db)
    .where(eq(instanceGroups.isContainerGroup, true))
    .orderBy(asc(instanceGroups.id))
  return rows.map((row) => ({ group: row.group, credential: typedCredential(row) }))
}

/** A group as its gate looks at it. */
export interface GroupState extends GroupDocument {
  /** What the jobs that have a place in it count against its limits, by the name of their pod. */
  claims: Map<string, number>
}

/** Reads those of these groups that there are, in one statement for the groups and one for their claims, however many they are. */
export async function readGroupStates(db: Database, ids: readonly number[]): Promise<Map<number, GroupState>> {
  if (ids.length === 0) return new Map()
  const [documents, claims] = await Promise.all([
    groupsWithCredential(db).where(inArray(instanceGroups.id, [...ids])),
    db
      .select({
        groupId: attempts.instanceGroupId,
        jobId: attempts.jobId,
        number: attempts.number,
        impact: attempts.impact,
      })
      .from(attempts)
      .where(and(isNull(attempts.releasedAt), inArray(attempts.instanceGroupId, [...ids]))),
  ])
  const states = new Map<number, GroupState>()
  for (const row of documents)
    states.set(row.group.id, { group: row.group, credential: typedCredential(row), claims: new Map() })
  for (const { groupId, jobId, number, impact } of claims) {
    states.get(groupId ?? 0)?.claims.set(podName(jobId, number), impact)
  }
  return states
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
