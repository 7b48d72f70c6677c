import { setImmediate as turn } from 'node:timers/promises'
import { eq, sql } from 'drizzle-orm'
import { writeExactJson } from '../../model/exact-json.ts'
import type { SourcedHost } from '../../model/sourced-inventory.ts'
import type { Database } from '../database.ts'
import { hosts } from '../schema/inventory.ts'
import { inventorySourceHosts } from '../schema/updates.ts'
import { column, inParts } from './columns.ts'
import type { ImportTarget } from './import.ts'
import { mergedVariables } from './variables.ts'

/** A host as it is before an import. */
type Known = Pick<typeof hosts.$inferSelect, 'id' | 'name' | 'variables' | 'enabled' | 'instanceId'>

/** Hosts that are compared without a pause. */
const hostsInOneGo = 1_000

/** Text of AWX for what an import made. */
export const importedDescription = 'imported'

/** Writes the hosts of a source; answers their ids by name. One that is known by its instance id keeps its row under its new name. */
export async function importHosts(
  tx: Database,
  target: ImportTarget,
  sourced: readonly SourcedHost[],
): Promise<{ ids: Map<string, number>; deleted: number }> {
  const before = await tx
    .select({
      id: hosts.id,
      name: hosts.name,
      variables: hosts.variables,
      enabled: hosts.enabled,
      instanceId: hosts.instanceId,
    })
    .from(hosts)
    .where(eq(hosts.inventoryId, target.inventoryId))
  const known = finder(before)
  const ids = new Map<string, number>()
  const changed: Known[] = []
  const fresh: SourcedHost[] = []
  for (const [index, host] of sourced.entries()) {
    // Others work in this process too.
    if (index % hostsInOneGo === hostsInOneGo - 1) await turn()
    const row = known(host)
    if (!row) fresh.push(host)
    else {
      ids.set(host.name, row.id)
      const after = changedRow(row, host, target.overwriteVars)
      if (after) changed.push(after)
    }
  }
  const deleted = target.overwrite ? await deleteLost(tx, target, new Set(ids.values())) : 0
  await update(tx, changed)
  await insert(tx, target, fresh, ids)
  await bring(tx, target, [...ids.values()])
  return { ids, deleted }
}

/** Finds the row of a host: by its name, else by its instance id. A row is nobody's twice. */
function finder(rows: readonly Known[]): (host: SourcedHost) => Known | undefined {
  const byName = new Map(rows.map((row) => [row.name, row]))
  const byInstance = new Map(rows.filter((row) => row.instanceId !== '').map((row) => [row.instanceId, row]))
  const taken = new Set<Known>()
  return (host) => {
    const named = byName.get(host.name)
    const renamed = host.instanceId === '' ? undefined : byInstance.get(host.instanceId)
    const row = named ?? (renamed && !taken.has(renamed) ? renamed : undefined)
    if (row) taken.add(row)
    return row
  }
}

function changedRow(row: Known, host: SourcedHost, overwriteVars: boolean): Known | null {
  const variables = mergedVariables(row.variables, host.variables, overwriteVars) ?? row.variables
  const enabled = host.enabled ?? row.enabled
  const { name, instanceId } = host
  const same =
    variables === row.variables && enabled === row.enabled && name === row.name && instanceId === row.instanceId
  return same ? null : { id: row.id, name, variables, enabled, instanceId }
}

async function update(tx: Database, rows: readonly Known[]): Promise<void> {
  for (const part of inParts(rows)) {
    const of = (key: keyof Known, type: 'text' | 'int' | 'boolean') =>
      column(
        part.map((row) => row[key]),
        type,
      )
    await tx.execute(sql`
      UPDATE ${hosts} SET name = new.name, variables = new.variables, enabled = new.enabled, instance_id = new.instance_id, modified = now()
      FROM unnest(${of('id', 'int')}, ${of('name', 'text')}, ${of('variables', 'text')}, ${of('enabled', 'boolean')}, ${of('instanceId', 'text')})
        AS new(id, name, variables, enabled, instance_id)
      WHERE ${hosts.id} = new.id`)
  }
}

/** Adds the ids of the new rows to `ids`. A host that somebody made in the meantime becomes the source's. */
async function insert(
  tx: Database,
  target: ImportTarget,
  fresh: readonly SourcedHost[],
  ids: Map<string, number>,
): Promise<void> {
  for (const part of inParts(fresh)) {
    const names = part.map(({ name }) => name)
    const variables = part.map((host) => writeExactJson(host.variables))
    const enabled = part.map((host) => host.enabled ?? true)
    const instanceIds = part.map(({ instanceId }) => instanceId)
    const { rows } = await tx.execute<{ id: number; name: string }>(sql`
      INSERT INTO ${hosts} (inventory_id, description, name, variables, enabled, instance_id)
      SELECT ${target.inventoryId}::int, ${importedDescription}, new.*
      FROM unnest(${column(names, 'text')}, ${column(variables, 'text')}, ${column(enabled, 'boolean')}, ${column(instanceIds, 'text')}) AS new
      ON CONFLICT (inventory_id, name) DO UPDATE
        SET variables = excluded.variables, enabled = excluded.enabled, instance_id = excluded.instance_id
      RETURNING id, name`)
    for (const row of rows) ids.set(row.name, row.id)
  }
}

async function bring(tx: Database, target: ImportTarget, ids: readonly number[]): Promise<void> {
  for (const part of inParts(ids)) {
    await tx.execute(sql`
      INSERT INTO ${inventorySourceHosts} (inventory_source_id, host_id)
      SELECT ${target.inventorySourceId}::int, unnest(${column(part, 'int')}) ON CONFLICT DO NOTHING`)
  }
}

/** Deletes hosts that the source brought before and does not bring now; others' stay. */
async function deleteLost(tx: Database, target: ImportTarget, kept: ReadonlySet<number>): Promise<number> {
  const brought = await tx
    .select({ id: inventorySourceHosts.hostId })
    .from(inventorySourceHosts)
    .where(eq(inventorySourceHosts.inventorySourceId, target.inventorySourceId))
  const lost = brought.map(({ id }) => id).filter((id) => !kept.has(id))
  for (const part of inParts(lost)) {
    await tx.execute(sql`DELETE FROM ${hosts} WHERE ${hosts.id} IN (SELECT unnest(${column(part, 'int')}))`)
  }
  return lost.length
}
