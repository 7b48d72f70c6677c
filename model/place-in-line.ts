import type { Block, GroupLoad } from './group-load.ts'

/** Where a job stands among those that wait for a group. */
export interface Line {
  /** Jobs that are served first whatever happens: those of a higher priority. */
  before: number
  /** Of those, and of its own priority and organization, how many stand in line in Temporal already. */
  standing: number
  /** Its place among the waiting jobs of its own priority and organization, itself included. */
  own: number
  /** Its organization's share, relative to those of others. */
  weight: number
  /** Other organizations with waiting jobs of its priority. */
  others: { weight: number; waiting: number }[]
}

/** The place of a job in line: 1 is next. */
export interface Place {
  place: number
  /** Jobs of its priority whose organizations share the group's places: the place is then where fair shares are going to put it. */
  shared: boolean
}

/**
 * A job's place. Priority decides first; within one, organizations get their shares by weight, and within an organization who came first goes first. How the shares
 * of others fall before it is not known beforehand, so half a turn is counted for each.
 */
export function placeInLine({ before, own, weight, others }: Omit<Line, 'standing'>): Place {
  const ahead = others.map((other) => Math.min(other.waiting, ((own - 0.5) * other.weight) / weight))
  const shares = Math.round(ahead.reduce((sum, jobs) => sum + jobs, 0))
  return { place: before + own + shares, shared: others.length > 0 }
}

/** How long the last attempts of a group held their places. */
export interface Held {
  meanSeconds: number
  attempts: number
}

/** When a job may start, in seconds from now, and what that is reckoned from; null where nobody can know. */
export interface StartEstimate {
  seconds: number | null
  basis: string
}

/** Reckons when a job at this place in line gets a place of the group. */
export function estimateStart(
  load: GroupLoad,
  blocks: readonly Block[],
  place: number,
  held: Held | null,
): StartEstimate {
  const unknown = (basis: string) => ({ seconds: null, basis })
  const lasting = blocks.find(({ kind }) => kind in lastingBlocks)
  if (lasting) return unknown(lastingBlocks[lasting.kind as keyof typeof lastingBlocks])
  if (blocks.length === 0 && place === 1) return { seconds: 0, basis: 'a place is free' }
  if (!held) return unknown('no job of the group has ended yet')
  // Where it is not the number of jobs that limits the group, it has as many places as are taken now.
  const limitedByJobs = blocks.length === 0 || blocks.some(({ kind }) => kind === 'max_concurrent_jobs')
  const places = limitedByJobs && load.maxConcurrentJobs > 0 ? load.maxConcurrentJobs : load.running
  if (places === 0) return unknown('nothing runs in the group whose end would make room')
  const mean = Math.round(held.meanSeconds * 10) / 10
  return {
    seconds: (place * held.meanSeconds) / places,
    basis: `place ${place} × ${mean} s, the mean of the last ${held.attempts} attempts of the group, ÷ ${places} places`,
  }
}

/** What does not pass by itself as jobs end. */
const lastingBlocks = {
  draining: 'the group is being drained',
  never_fits: 'the group never has room for the job',
  unreachable: 'the cluster of the group cannot be reached',
  misconfigured: 'the group cannot be used until somebody changes it',
} as const
