import type {
  ActivitySlotInfo,
  CustomSlotSupplier,
  SlotMarkUsedContext,
  SlotPermit,
  SlotReleaseContext,
  SlotReserveContext,
} from '@temporalio/worker'

/** What a gate asks to decide. All are read at each decision, so nothing is counted twice over time. */
export interface GateView {
  /** max_concurrent_jobs of the group; 0 means no limit. */
  limit(): number
  /** Places taken: live pods of the group and claims whose pod is not seen yet. */
  live(): number
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
  #brake: string | undefined
  /** At most one reservation is ever outstanding, so one waiter is enough. */
  #wake: (() => void) | undefined
  readonly #onChange = new Set<() => void>()

  constructor(view: GateView) {
    this.#view = view
  }

  /** Why the gate grants nothing whatever the limit says, if it does not. */
  get brake(): string | undefined {
    return this.#brake
  }

  /** Permits out: admissions in flight and polls waiting for one. */
  get permits(): number {
    return this.#permits.size
  }

  closeBrake(reason: string): void {
    this.#brake = reason
  }

  openBrake(): void {
    this.#brake = undefined
    this.reconsider()
  }

  /** To be called whenever the view may have changed in favour of a grant. */
  reconsider(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
    for (const changed of [...this.#onChange]) changed()
  }

  /**
   * For a job that has its permit and was refused a place all the same: resolves when something has changed and there may be room now.
   * Changes that other workers cause may not be told, so it looks by itself now and then. Rejects with the signal's reason.
   */
  async room(signal: AbortSignal): Promise<void> {
    do await this.#changed(signal)
    while (!this.#mayHaveRoom())
  }

  /**
   * For a job that comes by a poll which was open when the brake closed: resolves once it is open. Rejects with the signal's reason.
   */
  async unbraked(signal: AbortSignal): Promise<void> {
    while (this.#brake !== undefined) await this.#changed(signal)
  }

  /** What a job with a permit asks: its own permit does not stand in its way. */
  #mayHaveRoom(): boolean {
    const limit = this.#view.limit()
    return this.#brake === undefined && (limit === 0 || this.#view.live() < limit)
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
    if (this.#brake !== undefined) return false
    const limit = this.#view.limit()
    return limit === 0 || this.#view.live() + this.#permits.size < limit
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
