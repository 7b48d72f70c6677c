import type { InventoryStructure } from '../../model/inventory-script.ts'
import type { Variables } from '../../model/variables.ts'
import type { ResolvedCredential } from '../credentials.ts'

/** An inventory update as plain data. Holds secrets, so it lives in memory only. */
export interface InventoryUpdateJob {
  id: number
  inventorySourceId: number
  /** `scm`, or a key of pluginSources. */
  source: string
  /** Of `scm`: file, folder or script within the project; empty: all of it. */
  sourcePath: string
  /** Options of the plugin; of `scm`, environment for a script. */
  sourceVars: Variables
  limit: string
  /** 0 (warnings) to 2. */
  verbosity: number
  /** Seconds; 0: none. */
  timeout: number
  /** Of `scm`: the project's tree, and what its requirements asked for. */
  project: { folder: string; rolesFolder: string | null; collectionsFolder: string | null } | null
  /** What a constructed inventory is made from, in order. */
  inputs: { id: number; inventory: InventoryStructure }[]
  credentials: ResolvedCredential[]
  /** Further environment of every run (AWX's AWX_TASK_ENV). */
  taskEnv: Record<string, string>
}
