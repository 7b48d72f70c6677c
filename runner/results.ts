import type { EventRow } from '../model/event.ts'

/** A host's counts from playbook_on_stats; `failed` when it had failures or was unreachable. */
export interface HostSummary {
  hostName: string
  changed: number
  dark: number
  failures: number
  ignored: number
  ok: number
  processed: number
  rescued: number
  skipped: number
  failed: boolean
}

/** Host summaries of a playbook_on_stats event, in order of host name; empty for any other event. */
export function hostSummaries(stats: EventRow): HostSummary[] {
  throw new Error(stats.uuid)
}

/** Number of hosts by their worst state, as AWX's host_status_counts; states without hosts are left out. */
export function hostStatusCounts(summaries: HostSummary[]): Record<string, number> {
  throw new Error(`${summaries.length}`)
}

/** AWX's playbook_counts. */
export interface PlaybookCounts {
  playCount: number
  taskCount: number
}

/** The counts after these further rows; begin with both zero. */
export function countPlays(counts: PlaybookCounts, rows: EventRow[]): PlaybookCounts {
  throw new Error(`${counts.playCount} ${rows.length}`)
}

/** What set_stats left for later workflow nodes: playbook_on_stats' artifact_data; empty for any other event. */
export function artifactData(stats: EventRow): Record<string, unknown> {
  throw new Error(stats.uuid)
}
