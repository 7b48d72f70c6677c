import { type Cause, cause } from '../../model/cause.ts'
import { pluginSources } from '../../model/inventory-source.ts'
import type { SourcedInventory } from '../../model/sourced-inventory.ts'
import { HostFilterError } from '../../runner/inventory-update/host-filter.ts'
import { lineEvent } from '../../runner/inventory-update/lines.ts'
import { InventoryOutputError, readInventoryOutput } from '../../runner/inventory-update/output.ts'
import type { Database } from '../../store/database.ts'
import { importInventory } from '../../store/inventory-import/import.ts'
import { hostLimit, readInventorySource } from '../../store/inventory-updates.ts'
import type { JobRow } from '../../store/job-status.ts'
import { appendLines } from '../../store/line-events.ts'

/** The organization has more hosts than it may have; nothing is imported then. */
export class HostLimitError extends Error {
  override name = 'HostLimitError'
}

/** Variables by which we tell Ansible our own ids; they say nothing of a host itself. */
const ownVariables = ['remote_tower_enabled', 'remote_tower_id', 'remote_host_enabled', 'remote_host_id']

/** What a source says, or why it says nothing that can be used. */
export type Told = { inventory: SourcedInventory; cause: null } | { inventory: null; cause: Cause }

/** Reads what ansible-inventory wrote, by the rules of the update and, where it has none, by those of its kind. */
export function readTold(job: JobRow, output: string): Told {
  const byDefault = pluginSources[job.source]
  const options = {
    enabledVar: job.enabledVar || byDefault?.enabledVar || '',
    enabledValue: job.enabledVar ? job.enabledValue : (byDefault?.enabledValue ?? ''),
    instanceIdVar: byDefault?.instanceIdVar ?? '',
    hostFilter: job.hostFilter,
    dropped: job.source === 'constructed' ? ownVariables : [],
  }
  try {
    return { inventory: readInventoryOutput(output, options), cause: null }
  } catch (error) {
    if (error instanceof InventoryOutputError || error instanceof HostFilterError)
      return { inventory: null, cause: cause('play_failed', error.message) }
    throw error
  }
}

/**
 * Imports into the inventory within the transaction that stores the verdict, and says so in the output as AWX does. Answers how many events the job
 * has then. Throws HostLimitError.
 */
export async function bringIn(tx: Database, job: JobRow, inventory: SourcedInventory): Promise<number> {
  const source = await readInventorySource(tx, job.inventorySourceId)
  if (!source) throw new Error(`the source of inventory update ${job.id} was deleted`)
  const began = Date.now()
  const target = {
    inventoryId: source.inventoryId,
    inventorySourceId: source.id,
    overwrite: job.overwrite,
    overwriteVars: job.overwriteVars,
  }
  const counts = await importInventory(tx, target, inventory)
  const limit = await hostLimit(tx, source.inventoryId)
  if (limit && limit.hosts > limit.most) {
    throw new HostLimitError(
      `Host limit for organization exceeded: ${limit.organization} would have ${limit.hosts} hosts, and ${limit.most} are allowed (max_hosts).`,
    )
  }
  const startedMs = job.started ? Date.parse(job.started) : began
  const stamp = (ms: number) => ((ms - startedMs) / 1000).toFixed(3).padStart(9)
  const seconds = ((Date.now() - began) / 1000).toFixed(1)
  const lines = [
    `${stamp(began)} INFO     Processing JSON output...`,
    `${stamp(began)} INFO     Loaded ${counts.groups} groups, ${counts.hosts} hosts`,
    ...(job.overwrite
      ? [`${stamp(Date.now())} INFO     Deleted ${counts.groupsDeleted} groups, ${counts.hostsDeleted} hosts`]
      : []),
    `${stamp(Date.now())} INFO     Inventory import completed for ${source.name} in ${seconds}s`,
  ]
  return await appendLines(tx, job.id, job.verbosity > 0 ? lines : [], lineEvent)
}
