import { type SQL, sql } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import type { SourcedGroup } from '../../model/sourced-inventory.ts'
import type { Database } from '../database.ts'
import { groupChildren, groupHosts } from '../schema/inventory.ts'
import { column, inParts } from './columns.ts'
import type { ImportTarget } from './import.ts'

/** A group and what is in it, by ids. */
interface Pair {
  group: number
  member: number
}

/** Who is in which: a table of two columns, the group's and then the member's. */
interface Pairs {
  table: PgTable
  group: PgColumn
  member: PgColumn
}

/** Puts hosts and groups into the groups that the source says; with overwrite takes out of its groups what it does not say. */
export async function linkMembers(
  tx: Database,
  target: ImportTarget,
  sourced: readonly SourcedGroup[],
  ids: { hosts: ReadonlyMap<string, number>; groups: ReadonlyMap<string, number> },
): Promise<void> {
  const owners = [...ids.groups.values()]
  const hosts = { table: groupHosts, group: groupHosts.groupId, member: groupHosts.hostId }
  const children = { table: groupChildren, group: groupChildren.parentId, member: groupChildren.childId }
  await link(
    tx,
    hosts,
    owners,
    pairsOf(sourced, ids.groups, (group) => group.hosts, ids.hosts),
    target.overwrite,
  )
  await link(
    tx,
    children,
    owners,
    pairsOf(sourced, ids.groups, (group) => group.children, ids.groups),
    target.overwrite,
  )
}

function pairsOf(
  sourced: readonly SourcedGroup[],
  groupIds: ReadonlyMap<string, number>,
  membersOf: (group: SourcedGroup) => readonly string[],
  memberIds: ReadonlyMap<string, number>,
): Pair[] {
  return sourced.flatMap((owner) => {
    const group = groupIds.get(owner.name)
    if (group === undefined) return []
    return membersOf(owner).flatMap((name) => {
      const member = memberIds.get(name)
      return member === undefined ? [] : [{ group, member }]
    })
  })
}

async function link(
  tx: Database,
  { table, group, member }: Pairs,
  owners: readonly number[],
  wanted: readonly Pair[],
  overwrite: boolean,
): Promise<void> {
  if (overwrite && owners.length > 0) {
    const { rows } = await tx.execute<Pair & Record<string, unknown>>(sql`
      SELECT ${group} AS "group", ${member} AS member FROM ${table} WHERE ${group} IN (SELECT unnest(${column(owners, 'int')}))`)
    const kept = new Set(wanted.map(keyOf))
    for (const part of inParts(rows.filter((row) => !kept.has(keyOf(row))))) {
      await tx.execute(sql`
        DELETE FROM ${table} USING ${asTable(part)}
          AS gone(owner, member) WHERE ${group} = gone.owner AND ${member} = gone.member`)
    }
  }
  for (const part of inParts(wanted)) {
    await tx.execute(sql`
      INSERT INTO ${table}
      SELECT * FROM ${asTable(part)}
      ON CONFLICT DO NOTHING`)
  }
}

/** Pairs as a table of two columns. */
function asTable(pairs: readonly Pair[]): SQL {
  const owners = pairs.map(({ group }) => group)
  const members = pairs.map(({ member }) => member)
  return sql`unnest(${column(owners, 'int')}, ${column(members, 'int')})`
}

const keyOf = ({ group, member }: Pair) => `${group} ${member}`
