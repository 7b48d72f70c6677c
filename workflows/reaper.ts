import type { ReapInput, ReapReport } from '../activities/types.ts'
import { reap } from './activities.ts'

/** One pass of the reaper, by its schedule or because somebody asked for it. It covers what no workflow code can: terminated workflows and dead workers. */
export async function reaper(input: ReapInput = {}): Promise<ReapReport> {
  return await reap(input)
}
