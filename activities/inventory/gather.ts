import { join } from 'node:path'
import { storedVariables } from '../../model/variables.ts'
import type { InventoryUpdateJob } from '../../runner/inventory-update/job.ts'
import { readInventory } from '../../store/inventory.ts'
import { inputInventories } from '../../store/inventory-updates.ts'
import type { RunDocument } from '../../store/run-document.ts'
import { resolve } from '../credentials.ts'
import type { ActivityDeps } from '../deps.ts'
import { projectAtRevision } from '../project-folder.ts'

/** Where updates on this machine have their private folders. */
export function inventoryUpdatesFolder({ dataFolder }: ActivityDeps['settings']): string {
  return join(dataFolder, 'inventory-updates')
}

/** Gathers what an inventory update is made of, with its project's tree on this machine. Throws ProjectUnreadableError. */
export async function gatherUpdate(
  deps: ActivityDeps,
  document: RunDocument,
  signal: AbortSignal,
): Promise<InventoryUpdateJob> {
  const { job } = document
  const inputs: InventoryUpdateJob['inputs'] = []
  if (job.source === 'constructed' && job.inventoryId !== null) {
    for (const id of await inputInventories(deps.store.db, job.inventoryId)) {
      const inventory = await readInventory(deps.store.db, id)
      if (inventory) inputs.push({ id, inventory })
    }
  }
  return {
    id: job.id,
    inventorySourceId: job.inventorySourceId ?? 0,
    source: job.source,
    sourcePath: job.sourcePath,
    sourceVars: storedVariables(job.sourceVars),
    limit: job.limit,
    verbosity: job.verbosity,
    timeout: Math.max(job.timeout, 0),
    project: job.source === 'scm' ? await projectAtRevision(deps, document, signal) : null,
    inputs,
    credentials: document.credentials.map((credential) => resolve(deps, credential)),
    taskEnv: {},
  }
}
