/** An inventory as rows; `variables` is YAML or JSON text as the user wrote it. */
export interface InventoryStructure {
  name: string
  variables: string
  hosts: { id: number; name: string; enabled: boolean; variables: string }[]
  groups: { name: string; variables: string; hostIds: number[]; childNames: string[] }[]
}

/** Variables that do not parse; the message names the object they belong to. */
export class InventoryVariablesError extends Error {
  override name = 'InventoryVariablesError'
}

export interface InventoryOptions {
  /** Adds `_meta.hostvars`; a run always wants it. */
  hostvars?: boolean
  /** Adds remote_tower_* and remote_host_* to every host's variables. */
  towervars?: boolean
  /** Shows disabled hosts too. */
  all?: boolean
  /** Deals the enabled hosts like cards: slice `number` (from 1) of `count`. */
  slice?: { number: number; count: number }
}

/** AWX's inventory script data (GET /inventories/N/script/). Throws InventoryVariablesError. */
export function inventoryData(structure: InventoryStructure, options: InventoryOptions = {}): Record<string, unknown> {
  throw new Error(`${structure.name} ${options.all}`)
}

/** The executable `inventory/hosts` that prints the data, with host variables and enabled hosts only. Throws InventoryVariablesError. */
export function inventoryScript(structure: InventoryStructure, slice?: InventoryOptions['slice']): string {
  throw new Error(`${structure.name} ${slice?.number}`)
}
