import { lineEventsResource } from '../jobs/line-events.ts'

/** Events of inventory updates. */
export const inventoryUpdateEventsResource = lineEventsResource({
  job: 'inventory_update',
  jobs: 'inventory_updates',
  model: 'InventoryUpdateEvent',
})
