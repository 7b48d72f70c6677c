import { and, eq, inArray, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../../store/database.ts'
import { groupChildren, groupHosts, groups, hosts } from '../../store/schema/inventory.ts'

/** Ids of a group and of all groups below it, as a subquery. */
export function withDescendants(groupId: number): SQL {
  return sql`(WITH RECURSIVE below(id) AS (
    SELECT ${groupId}::int UNION SELECT ${groupChildren.childId} FROM ${groupChildren} JOIN below ON ${groupChildren.parentId} = below.id
  ) SELECT id FROM below)`
}

/** Ids of a group and of all groups above it, as a subquery. */
export function withAncestors(groupId: SQL | number): SQL {
  return sql`(WITH RECURSIVE above(id) AS (
    SELECT ${groupId}::int UNION SELECT ${groupChildren.parentId} FROM ${groupChildren} JOIN above ON ${groupChildren.childId} = above.id
  ) SELECT id FROM above)`
}

/** Ids of all groups a host is in, directly or through a group below. */
export function groupsOfHost(hostId: number): SQL {
  return sql`(WITH RECURSIVE above(id) AS (
    SELECT ${groupHosts.groupId} FROM ${groupHosts} WHERE ${groupHosts.hostId} = ${hostId}
    UNION SELECT ${groupChildren.parentId} FROM ${groupChildren} JOIN above ON ${groupChildren.childId} = above.id
  ) SELECT id FROM above)`
}

/** Hosts of a group and of all groups below it, as a condition on `hosts`. */
export function hostsBelow(groupId: number): SQL {
  return sql`${hosts.id} IN (SELECT ${groupHosts.hostId} FROM ${groupHosts} WHERE ${groupHosts.groupId} IN ${withDescendants(groupId)})`
}

/** Whether `child` already holds `parent` somewhere below: attaching it would close a circle. */
export async function closesCircle(db: Database, parentId: number, childId: number): Promise<boolean> {
  if (parentId === childId) return true
  const [found] = await db
    .select({ id: groups.id })
    .from(groups)
    .where(and(eq(groups.id, parentId), sql`${groups.id} IN ${withDescendants(childId)}`))
  return found !== undefined
}

/**
 * Deletes a group as AWX does: with it go the groups and hosts below that no other group holds; what another group holds too stays there.
 */
export async function deleteGroup(db: Database, groupId: number): Promise<void> {
  const doomed = new Set([groupId])
  for (let grown = true; grown; ) {
    const orphans = await db
      .select({ id: groups.id })
      .from(groups)
      .where(
        sql`EXISTS (SELECT 1 FROM ${groupChildren} WHERE ${groupChildren.childId} = ${groups.id} AND ${inArray(groupChildren.parentId, [...doomed])})
          AND NOT EXISTS (SELECT 1 FROM ${groupChildren} WHERE ${groupChildren.childId} = ${groups.id} AND NOT ${inArray(groupChildren.parentId, [...doomed])})`,
      )
    const before = doomed.size
    for (const { id } of orphans) doomed.add(id)
    grown = doomed.size > before
  }
  const ids = [...doomed]
  await db.delete(hosts).where(
    sql`EXISTS (SELECT 1 FROM ${groupHosts} WHERE ${groupHosts.hostId} = ${hosts.id} AND ${inArray(groupHosts.groupId, ids)})
        AND NOT EXISTS (SELECT 1 FROM ${groupHosts} WHERE ${groupHosts.hostId} = ${hosts.id} AND NOT ${inArray(groupHosts.groupId, ids)})`,
  )
  await db.delete(groups).where(inArray(groups.id, ids))
}
