import type { EventRow } from '../model/event.ts'
import { isMapping } from '../model/variables.ts'
import { storableText } from './text.ts'

/** The maps from host to count in playbook_on_stats. */
const countNames = ['changed', 'dark', 'failures', 'ignored', 'ok', 'processed', 'rescued', 'skipped'] as const

/** A host's counts from playbook_on_stats; `failed` when it had failures or was unreachable (`dark`). */
export type HostSummary = Record<(typeof countNames)[number], number> & { hostName: string; failed: boolean }

/** What is read of an event that may be playbook_on_stats. */
type StatsEvent = Pick<EventRow, 'event' | 'eventData'>

/** Host summaries of a playbook_on_stats event, sorted by host name; empty for any other event. */
export function hostSummaries(stats: StatsEvent): HostSummary[] {
  if (stats.event !== 'playbook_on_stats') return []
  const maps = countNames.map((name) => [name, stats.eventData[name]] as const)
  const hosts = new Set(maps.flatMap(([, map]) => (isMapping(map) ? Object.keys(map) : [])))
  return [...hosts].sort().map((host) => {
    const counts = Object.fromEntries(maps.map(([name, map]) => [name, countOf(map, host)])) as Record<
      (typeof countNames)[number],
      number
    >
    return { hostName: storableText(host), ...counts, failed: counts.dark > 0 || counts.failures > 0 }
  })
}

function countOf(map: unknown, host: string): number {
  const value = isMapping(map) && Object.hasOwn(map, host) ? map[host] : 0
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : 0
}

/** From the mildest to the worst: a host counts once, under the worst it has. */
const states = ['skipped', 'ok', 'changed', 'failures', 'dark'] as const

/** Number of hosts by their worst state, as AWX's host_status_counts; states without hosts are left out. */
export function hostStatusCounts(summaries: HostSummary[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const summary of summaries) {
    const worst = states.findLast((state) => summary[state] > 0)
    if (worst) counts[worst] = (counts[worst] ?? 0) + 1
  }
  return counts
}

/** AWX's playbook_counts. */
export interface PlaybookCounts {
  playCount: number
  taskCount: number
}

/** The counts after these further rows; begin with both zero. */
export function countPlays(counts: PlaybookCounts, rows: EventRow[]): PlaybookCounts {
  const plays = rows.filter((row) => row.event === 'playbook_on_play_start').length
  const tasks = rows.filter((row) => row.event === 'playbook_on_task_start').length
  return { playCount: counts.playCount + plays, taskCount: counts.taskCount + tasks }
}

/** What set_stats left for later workflow nodes: artifact_data of playbook_on_stats; empty for any other event. */
export function artifactData(stats: StatsEvent): Record<string, unknown> {
  const data = stats.event === 'playbook_on_stats' ? stats.eventData.artifact_data : undefined
  return isMapping(data) ? data : {}
}
