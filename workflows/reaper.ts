import type { ReapReport } from '../activities/types.ts'
import { reap } from './activities.ts'

/** One pass of the reaper, started by a schedule. It covers what no workflow code can: terminated workflows and dead workers. */
export async function reaper(): Promise<ReapReport> {
  return await reap()
}
