import type { EventRow } from '../model/event.ts'
import type { RunnerEvent } from './stream.ts'

/** Turns a runner event into the row that is stored; hostId is taken from `remote_tower_id` by whoever knows the inventory, so null here. */
export function toEventRow(event: RunnerEvent): EventRow {
  throw new Error(event.uuid)
}
