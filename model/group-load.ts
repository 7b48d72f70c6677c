import type { BrakeKind } from './brake.ts'
import { type GroupLimits, neverFits, neverFitsText, refusalOf, refusalText } from './capacity.ts'
import type { PassedOver } from './passed-over.ts'

/** What closes a group's gate just now, as the gate wrote it. */
export interface Brake {
  kind: BrakeKind
  reason: string
  /** ISO. */
  since: string
}

/** What one group offers a waiting job just now. Instants are ISO texts. */
export interface GroupLoad extends GroupLimits {
  id: number
  name: string
  /** Attempts that hold a place of the group, and the sum of their impacts. */
  running: number
  forks: number
  /** When the newest of those places was taken; null while none is. */
  newestClaim: string | null
  /** Null while its gate admits. */
  brake: Brake | null
}

/** Why a group has no place for a job. */
export interface Block {
  kind: 'max_concurrent_jobs' | 'max_forks' | 'draining' | 'never_fits' | BrakeKind
  /** With the numbers; to stand behind the group's name, without a full stop. */
  message: string
  /** Since when it has kept this job out, as far as is known; ISO. */
  since: string | null
  /** Of a limit: what is in use, and what is allowed. */
  used: number | null
  limit: number | null
}

/**
 * What keeps a job out of a group, the weightiest first; nothing when there is a place. A full group is full since the newest of its places was taken:
 * right before that it had room. A job that stood in line then saw that place given to another, so for it the group is full since it stands there.
 */
export function blocksOf(load: GroupLoad, job: { impact: number; waitingSince: string | null }): Block[] {
  const blocks: Block[] = []
  const add = (kind: Block['kind'], message: string, since: string | null, numbers: Partial<Block> = {}) =>
    blocks.push({ kind, message: message.replace(/\.$/, ''), since, used: null, limit: null, ...numbers })
  const taken = { jobs: load.running, forks: load.forks }
  const refusal = refusalOf(load, taken, job.impact)
  if (refusal?.limit === 'draining') add('draining', refusalText(refusal), refusal.since)
  if (load.brake) add(load.brake.kind, load.brake.reason, load.brake.since)
  if (neverFits(load, job.impact)) {
    const numbers = { used: job.impact, limit: load.maxForks }
    add('never_fits', neverFitsText(load.name, load.maxForks, job.impact), job.waitingSince, numbers)
  } else if (refusal && refusal.limit !== 'draining') {
    const numbers = { used: refusal.taken, limit: refusal.allowed }
    add(refusal.limit, refusalText(refusal), earlier(load.newestClaim, job.waitingSince), numbers)
  }
  return blocks
}

/** What a job's record says of a group that kept it out. */
export function whyOf({ kind }: Pick<Block, 'kind'>): PassedOver['why'] {
  switch (kind) {
    case 'max_concurrent_jobs':
    case 'max_forks':
      return 'full'
    case 'never_fits':
      return 'cannot_run'
    case 'quota':
    case 'scheduler':
    case 'throttled':
      return 'braked'
    default:
      return kind
  }
}

function earlier(one: string | null, other: string | null): string | null {
  if (one === null || other === null) return one ?? other
  return Date.parse(one) <= Date.parse(other) ? one : other
}
