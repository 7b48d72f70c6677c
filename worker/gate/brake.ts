import type { BrakeKind } from '../../model/brake.ts'
import { SchedulerBrake, type SchedulerBrakeTiming, type UnschedulablePod } from './scheduler-brake.ts'

/** Why a gate admits nobody, whatever the limits of its group say. */
export interface ClosedBrake {
  kind: BrakeKind
  /** For people, with the numbers. */
  reason: string
}

/** A refusal closes the brake; one job may try after this long even if no watch told of a change: rights to watch quotas may be missing. */
const firstProbeMs = 1_000
const lastProbeMs = 5_000
/** A refusal so soon after a change that the watch told may be older than the change, or by an API server that has not heard of it: then one tries again soon. */
const staleMs = 1_500
const soonMs = 300
/** An API server that asks for longer than this is asked again all the same. */
const longestThrottleMs = 60_000

/**
 * The brake of one group: everything besides its limits that keeps jobs out. The cluster refused a pod, the quota that is watched has no room,
 * the API server sheds load, or no node takes the pods that are there. Each closes and opens it by itself, and it is open when none of them
 * keeps it closed. Pure over what it is told and the clock it is given, in ms.
 */
export class Brake {
  readonly #now: () => number
  readonly #scheduler: SchedulerBrake
  #refusal: (ClosedBrake & { until: number }) | null = null
  #throttle: { reason: string; until: number } | null = null
  #quota: string | null = null
  #probeMs = firstProbeMs
  #roomMadeAt = Number.NEGATIVE_INFINITY

  constructor(now: () => number, timing: Partial<SchedulerBrakeTiming> = {}) {
    this.#now = now
    this.#scheduler = new SchedulerBrake(now, timing)
  }

  /** The cluster refused a pod for want of room, or for a reason that may pass. */
  refused(kind: BrakeKind, reason: string): void {
    const now = this.#now()
    const stale = this.#roomMadeAt > now - staleMs
    this.#refusal = { kind, reason, until: now + (stale ? soonMs : this.#probeMs) }
    if (!stale) this.#probeMs = Math.min(this.#probeMs * 2, lastProbeMs)
  }

  /** The API server asked to be left alone for so long. A shorter wish does not shorten an earlier one. */
  throttled(reason: string, forMs: number): void {
    const until = this.#now() + Math.min(forMs, longestThrottleMs)
    this.#throttle = { reason, until: Math.max(until, this.#throttle?.until ?? until) }
  }

  /** What the watched quotas say: why they have no room for one more pod, null when they have some or nothing is known of them. */
  showQuota(reason: string | null): void {
    this.#quota = reason
  }

  /** The pods of the group that wait for a node. */
  showUnschedulable(pods: Iterable<UnschedulablePod>): void {
    this.#scheduler.show(pods)
  }

  /** Something happened that may be the room which a refused pod lacked. */
  roomMade(): void {
    this.#roomMadeAt = this.#now()
    this.#refusal = null
  }

  /** Jobs were admitted for a while: the next refusal is a new one. */
  forget(): void {
    this.#probeMs = firstProbeMs
  }

  /** What keeps the brake closed, the weightiest first; null when it is open. */
  get closed(): ClosedBrake | null {
    this.#expire()
    if (this.#throttle) return { kind: 'throttled', reason: this.#throttle.reason }
    if (this.#quota !== null) return { kind: 'quota', reason: this.#quota }
    if (this.#refusal) return { kind: this.#refusal.kind, reason: this.#refusal.reason }
    const reason = this.#scheduler.reason
    return reason === null ? null : { kind: 'scheduler', reason }
  }

  /** When it may change without any news; null when it cannot. */
  get nextAt(): number | null {
    this.#expire()
    const times = [this.#throttle?.until, this.#refusal?.until, this.#scheduler.nextAt]
    const due = times.filter((time) => time !== undefined && time !== null)
    return due.length === 0 ? null : Math.min(...due)
  }

  #expire(): void {
    const now = this.#now()
    if (this.#throttle && this.#throttle.until <= now) this.#throttle = null
    if (this.#refusal && this.#refusal.until <= now) this.#refusal = null
  }
}
