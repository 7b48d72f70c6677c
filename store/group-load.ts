import { and, eq, inArray, isNull, type SQL, sql } from 'drizzle-orm'
import type { GroupLoad } from '../model/group-load.ts'
import type { Held } from '../model/place-in-line.ts'
import type { Database } from './database.ts'
import { instanceGroups } from './schema/catalog.ts'
import { attempts, groupBrakes } from './schema/runtime.ts'

/** From how many of a group's last attempts it is reckoned how long one holds its place. */
const lastAttempts = 50

/** What the container groups of these ids offer just now, by id; those that are gone, or are no container groups, are left out. */
export async function groupLoads(db: Database, ids: readonly number[]): Promise<Map<number, GroupLoad>> {
  if (ids.length === 0) return new Map()
  const live = db
    .select({
      groupId: attempts.instanceGroupId,
      running: sql<number>`count(*)::int`.as('running'),
      forks: sql<number>`coalesce(sum(${attempts.impact}), 0)::int`.as('forks'),
      newestClaim: sql<string | null>`max(${attempts.claimedAt})`.as('newest_claim'),
    })
    .from(attempts)
    .where(and(inArray(attempts.instanceGroupId, [...ids]), isNull(attempts.releasedAt)))
    .groupBy(attempts.instanceGroupId)
    .as('live')
  const rows = await db
    .select({
      id: instanceGroups.id,
      name: instanceGroups.name,
      maxConcurrentJobs: instanceGroups.maxConcurrentJobs,
      maxForks: instanceGroups.maxForks,
      drainingSince: instanceGroups.drainingSince,
      drainDeadline: instanceGroups.drainDeadline,
      running: sql<number>`coalesce(${live.running}, 0)`,
      forks: sql<number>`coalesce(${live.forks}, 0)`,
      newestClaim: sql<string | null>`${live.newestClaim}::text`,
      brake: { kind: groupBrakes.kind, reason: groupBrakes.reason, since: groupBrakes.since },
    })
    .from(instanceGroups)
    .leftJoin(live, eq(live.groupId, instanceGroups.id))
    .leftJoin(groupBrakes, eq(groupBrakes.instanceGroupId, instanceGroups.id))
    .where(and(inArray(instanceGroups.id, [...ids]), eq(instanceGroups.isContainerGroup, true)))
  return new Map(rows.map((row) => [row.id, row]))
}

/** How long the last attempts of groups held their places, from the claim until the pod was gone, by the group's id; only of those where any has ended. */
export async function heldTimes(db: Database, ids: readonly number[]): Promise<Map<number, Held>> {
  if (ids.length === 0) return new Map()
  const { rows } = await db.execute<{ id: number; mean: number; attempts: number }>(sql`
    SELECT asked.group_id AS id, avg(extract(epoch FROM released_at - claimed_at))::float AS mean, count(*)::int AS attempts
    FROM unnest(${idList(ids)}) AS asked(group_id) CROSS JOIN LATERAL (
      SELECT claimed_at, released_at FROM attempts WHERE instance_group_id = asked.group_id AND released_at IS NOT NULL
      ORDER BY released_at DESC LIMIT ${lastAttempts}) ended
    GROUP BY asked.group_id`)
  return new Map(rows.map((row) => [row.id, { meanSeconds: row.mean, attempts: row.attempts }]))
}

/** Ids as an array of the database. */
export function idList(ids: readonly number[]): SQL {
  return sql`ARRAY[${sql.join(
    ids.map((id) => sql`${id}`),
    sql`, `,
  )}]::int[]`
}
