import { eq, sql } from 'drizzle-orm'
import { writeExactJson } from '../../model/exact-json.ts'
import type { SourcedGroup } from '../../model/sourced-inventory.ts'
import type { Database } from '../database.ts'
import { groups } from '../schema/inventory.ts'
import { inventorySourceGroups } from '../schema/updates.ts'
import { column, inParts } from './columns.ts'
import { importedDescription } from './hosts.ts'
import type { ImportTarget } from './import.ts'
import { mergedVariables } from './variables.ts'

/** Writes the groups of a source, without who is in them; answers their ids by name. */
export async function importGroups(
  tx: Database,
  target: ImportTarget,
  sourced: readonly SourcedGroup[],
): Promise<{ ids: Map<string, number>; deleted: number }> {
  const before = await tx
    .select({ id: groups.id, name: groups.name, variables: groups.variables })
    .from(groups)
    .where(eq(groups.inventoryId, target.inventoryId))
  const known = new Map(before.map((row) => [row.name, row]))
  const ids = new Map<string, number>()
  const changed: { id: number; variables: string }[] = []
  const fresh: SourcedGroup[] = []
  for (const group of sourced) {
    const row = known.get(group.name)
    if (!row) fresh.push(group)
    else {
      ids.set(group.name, row.id)
      const variables = mergedVariables(row.variables, group.variables, target.overwriteVars)
      if (variables !== null) changed.push({ id: row.id, variables })
    }
  }
  const deleted = target.overwrite ? await deleteLost(tx, target, new Set(ids.values())) : 0
  for (const part of inParts(changed)) {
    const [changedIds, variables] = [part.map(({ id }) => id), part.map((row) => row.variables)]
    await tx.execute(sql`
      UPDATE ${groups} SET variables = new.variables, modified = now()
      FROM unnest(${column(changedIds, 'int')}, ${column(variables, 'text')}) AS new(id, variables) WHERE ${groups.id} = new.id`)
  }
  for (const part of inParts(fresh)) {
    const [names, variables] = [part.map(({ name }) => name), part.map((group) => writeExactJson(group.variables))]
    const { rows } = await tx.execute<{ id: number; name: string }>(sql`
      INSERT INTO ${groups} (inventory_id, description, name, variables)
      SELECT ${target.inventoryId}::int, ${importedDescription}, new.* FROM unnest(${column(names, 'text')}, ${column(variables, 'text')}) AS new
      ON CONFLICT (inventory_id, name) DO UPDATE SET variables = excluded.variables
      RETURNING id, name`)
    for (const row of rows) ids.set(row.name, row.id)
  }
  for (const part of inParts([...ids.values()])) {
    await tx.execute(sql`
      INSERT INTO ${inventorySourceGroups} (inventory_source_id, group_id)
      SELECT ${target.inventorySourceId}::int, unnest(${column(part, 'int')}) ON CONFLICT DO NOTHING`)
  }
  return { ids, deleted }
}

/** Deletes groups that the source brought before and does not bring now. */
async function deleteLost(tx: Database, target: ImportTarget, kept: ReadonlySet<number>): Promise<number> {
  const brought = await tx
    .select({ id: inventorySourceGroups.groupId })
    .from(inventorySourceGroups)
    .where(eq(inventorySourceGroups.inventorySourceId, target.inventorySourceId))
  const lost = brought.map(({ id }) => id).filter((id) => !kept.has(id))
  for (const part of inParts(lost)) {
    await tx.execute(sql`DELETE FROM ${groups} WHERE ${groups.id} IN (SELECT unnest(${column(part, 'int')}))`)
  }
  return lost.length
}
