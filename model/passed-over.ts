/** A group in which a waiting job had no place: the job's record of why it did not run there, and since when. */
export interface PassedOver {
  groupId: number
  group: string
  /** full (max_concurrent_jobs, max_forks), braked (quota, scheduler, throttled), unreachable, misconfigured, draining, cannot_run. */
  why: 'full' | 'braked' | 'unreachable' | 'misconfigured' | 'draining' | 'cannot_run'
  /** With the numbers. */
  message: string
  /** ISO. */
  since: string
  /** When the group was asked no more, because it had room or another had; null while the job waits. ISO. */
  until: string | null
}

/** What keeps a job from asking a group with success until somebody or something repairs it. */
export type Away = Extract<PassedOver['why'], 'unreachable' | 'misconfigured'>

/** Entries are few, unless a group goes back and forth for days: then the oldest go. */
const mostEntries = 50

/** The entry that holds now for a group; undefined when it has none. */
export function openEntry(entries: readonly PassedOver[], groupId: number): PassedOver | undefined {
  return entries.find((entry) => entry.groupId === groupId && entry.until === null)
}

/** The record with what holds for a group now; the same list when it says so already. What held before ends. */
export function noted(entries: readonly PassedOver[], entry: PassedOver, now: string): readonly PassedOver[] {
  const open = openEntry(entries, entry.groupId)
  if (open?.why === entry.why) return entries
  const before = entries.map((old) => (old === open ? { ...old, until: now } : old))
  return [...before, entry].slice(-mostEntries)
}

/** The record of a job that waits no more. */
export function settled(entries: readonly PassedOver[], now: string): PassedOver[] {
  return entries.map((entry) => (entry.until === null ? { ...entry, until: now } : entry))
}

/** What decides whether any of a job's groups may still take it. */
export interface Hope {
  /** Groups that the job may run in and that still exist. */
  groups: readonly number[]
  entries: readonly PassedOver[]
  /** Groups that are known to be unreachable or misconfigured at this moment. */
  away: ReadonlySet<number>
  /** How long the group of an entry may be away before it counts as none, in milliseconds. */
  patienceMs(entry: PassedOver): number
  /** When the job began to wait for its groups; milliseconds since the epoch, as is `now`. */
  waitingSince: number
  now: number
}

/**
 * True when none of the groups may take the job any more: each never can, or has been away for longer than there is patience. A group that is full, or that
 * the job has not asked yet, is hope.
 */
export function isHopeless({ groups, entries, away, patienceMs, waitingSince, now }: Hope): boolean {
  return groups.every((groupId) => {
    const entry = openEntry(entries, groupId)
    if (entry?.why === 'cannot_run') return true
    if (entry?.why !== 'unreachable' && entry?.why !== 'misconfigured') return false
    const since = Math.max(Date.parse(entry.since), waitingSince)
    return away.has(groupId) && now - since > patienceMs(entry)
  })
}

/** Why none of a job's groups can run it, each with its reason. */
export function hopelessText(entries: readonly PassedOver[]): string {
  const reasons = entries.filter(({ until }) => until === null).map(({ group, message }) => `\n- ${group}: ${message}`)
  return `None of the instance groups of this job can run it:${reasons.join('')}`
}
