import type {
  ActivitySlotInfo,
  CustomSlotSupplier,
  SlotMarkUsedContext,
  SlotPermit,
  SlotReleaseContext,
  SlotReserveContext,
} from '@temporalio/worker'
import { type GroupLimits, neverFits, refusalOf, type Taken } from '../../model/capacity.ts'

/** What a gate asks to decide. All are read at each decision, so nothing is counted twice over time. */
export interface GateView {
  /** What the group's owner set. */
  limits(): GroupLimits
  /** Places taken: live pods of the group and claims whose pod is not seen yet. */
  taken(): Taken
  /** Why nobody is admitted whatever the limits say; null while nothing stands against it. */
  brake(): string | null
  /** For how many pods more the cluster's quotas have room, as far as is known; Infinity where nothing is. */
  fits(): number
}

/** The least that a job counts for. Which one comes is not known before it is there. */
const leastImpact = 1

/** A job that was let in and refused a place all the same; the same object from its first refusal on. */
export interface Waiting {
  /** How many forks it counts for. */
  impact: number
  /** When it was let in, in ms on any clock: who came first is served first. */
  since: number
}

/** How often a refused job looks for room if it is told of no change. */
const lookEveryMs = 1_000

/**
 * The gate of one container group: a supplier of activity slots for the queue on which only `admit` runs. While it grants nothing no poll
 * is open, so waiting jobs stay in the server's backlog, in their order of priority. It is a brake, not the claim: that is made in the
 * store. Permits are kept as a set of objects and never persisted.
 */
export class Gate implements CustomSlotSupplier<ActivitySlotInfo> {
  readonly type = 'custom'
  readonly #view: GateView
  readonly #permits = new Set<object>()
  /** At most one reservation is ever outstanding, so one waiter is enough. */
  #wake: (() => void) | undefined
  readonly #onChange = new Set<() => void>()
  /** Jobs that were let in and refused all the same, in the order in which they were let in. */
  readonly #door: Waiting[] = []

  constructor(view: GateView) {
    this.#view = view
  }

  /** Permits out: admissions in flight and polls waiting for one. */
  get permits(): number {
    return this.#permits.size
  }

  /** To be called whenever the view may have changed in favour of a grant. */
  reconsider(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
    for (const changed of [...this.#onChange]) changed()
  }

  /**
   * For a job that has its permit and was refused a place all the same: resolves when something has changed and there may be room for it, and
   * for those that have been waiting so for longer. Meanwhile nobody is let in to whom its share would go. Changes that other workers cause may
   * not be told, so it looks by itself now and then. Rejects with the signal's reason.
   */
  async room(signal: AbortSignal, waiting: Waiting): Promise<void> {
    if (!this.#door.includes(waiting)) {
      const later = this.#door.findIndex((other) => other.since > waiting.since)
      this.#door.splice(later < 0 ? this.#door.length : later, 0, waiting)
    }
    do await this.#changed(signal)
    while (!this.#mayHaveRoom(waiting))
  }

  /** A job that waited for room has its place, or wants none any more; until then its share is kept for it while it tries. */
  left(waiting: Waiting): void {
    const index = this.#door.indexOf(waiting)
    if (index < 0) return
    this.#door.splice(index, 1)
    this.reconsider()
  }

  /**
   * For a job that comes by a poll which was open when the brake closed: resolves once it is open. Rejects with the signal's reason.
   */
  async unbraked(signal: AbortSignal): Promise<void> {
    while (this.#view.brake() !== null) await this.#changed(signal)
  }

  /** What a job with a permit asks: its own permit does not stand in its way, and neither do those of jobs that came after it. */
  #mayHaveRoom(waiting: Waiting): boolean {
    if (this.#view.brake() !== null) return false
    const limits = this.#view.limits()
    // It is to be told so.
    if (neverFits(limits, waiting.impact)) return true
    const before = this.#door.slice(0, this.#door.indexOf(waiting))
    if (this.#view.fits() <= before.length) return false
    const { jobs, forks } = this.#view.taken()
    const ahead = before.reduce((sum, { impact }) => sum + impact, 0)
    const taken = { jobs: jobs + before.length, forks: forks + ahead }
    return refusalOf(limits, taken, waiting.impact) === null
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const settle = () => {
        clearTimeout(clock)
        this.#onChange.delete(changed)
        signal.removeEventListener('abort', abort)
      }
      const changed = () => {
        settle()
        resolve()
      }
      const abort = () => {
        settle()
        reject(signal.reason)
      }
      const clock = setTimeout(changed, lookEveryMs)
      this.#onChange.add(changed)
      signal.addEventListener('abort', abort, { once: true })
    })
  }

  #mayGrant(): boolean {
    if (this.#view.brake() !== null) return false
    if (this.#view.fits() <= this.#permits.size) return false
    const { jobs, forks } = this.#view.taken()
    // Each permit is a job that is about to take its place; of those at the door it is known how large that is.
    const wanted = this.#door.reduce((sum, { impact }) => sum + impact - leastImpact, this.#permits.size * leastImpact)
    const taken = { jobs: jobs + this.#permits.size, forks: forks + wanted }
    return refusalOf(this.#view.limits(), taken, leastImpact) === null
  }

  #grant(): SlotPermit {
    const permit = {}
    this.#permits.add(permit)
    return permit
  }

  async reserveSlot(_context: SlotReserveContext, signal: AbortSignal): Promise<SlotPermit> {
    for (;;) {
      signal.throwIfAborted()
      if (this.#mayGrant()) return this.#grant()
      await this.#reconsidered(signal)
    }
  }

  #reconsidered(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#wake = undefined
        reject(signal.reason)
      }
      signal.addEventListener('abort', abort, { once: true })
      this.#wake = () => {
        signal.removeEventListener('abort', abort)
        resolve()
      }
    })
  }

  tryReserveSlot(): SlotPermit | null {
    return this.#mayGrant() ? this.#grant() : null
  }

  markSlotUsed(_context: SlotMarkUsedContext<ActivitySlotInfo>): void {}

  releaseSlot({ permit }: SlotReleaseContext<ActivitySlotInfo>): void {
    this.#permits.delete(permit)
    this.reconsider()
  }
}
