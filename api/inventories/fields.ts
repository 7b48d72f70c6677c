import type { Choice, ComputedField, Field } from '../field.ts'
import { type InventoryCounts, inventoryCounts } from './counts.ts'

/** Kinds of inventories in AWX's words. */
export const kindChoices: readonly Choice[] = [
  ['', 'Hosts have a direct link to this inventory.'],
  ['smart', 'Hosts for inventory generated using the host_filter property.'],
  ['constructed', 'Parse list of source inventories with the constructed inventory plugin.'],
]

/** A count as a field. */
function counted(type: 'boolean' | 'integer', value: (counts: InventoryCounts) => unknown): ComputedField {
  const options = type === 'integer' ? { min_value: 0 } : {}
  return {
    kind: 'computed',
    type,
    filterable: true,
    options,
    values: async (rows, context) => (await inventoryCounts(rows, context)).map(value),
  }
}

/** What is counted of an inventory, in AWX's order. */
export const countFields: Record<string, Field> = {
  has_active_failures: counted('boolean', (counts) => counts.hosts_with_active_failures > 0),
  total_hosts: counted('integer', (counts) => counts.total_hosts),
  hosts_with_active_failures: counted('integer', (counts) => counts.hosts_with_active_failures),
  total_groups: counted('integer', (counts) => counts.total_groups),
  has_inventory_sources: counted('boolean', (counts) => counts.total_inventory_sources > 0),
  total_inventory_sources: counted('integer', (counts) => counts.total_inventory_sources),
  inventory_sources_with_failures: counted('integer', (counts) => counts.inventory_sources_with_failures),
}
