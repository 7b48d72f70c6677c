/** A pod of a group that no node takes. */
export interface UnschedulablePod {
  name: string
  /** The scheduler's words. */
  message: string
}

/** When pods that no node takes close a gate and when it opens again; in ms. */
export interface SchedulerBrakeTiming {
  /** Younger refusals say nothing: the scheduler tries again at the next change of the cluster. */
  momentMs: number
  /** So many of them close the brake: enough for an autoscaler to see what is wanted, few enough not to flood the cluster. */
  pods: number
  /** So does one that waits for so long. */
  oldestMs: number
  /** It opens when for so long there has been none. */
  clearMs: number
}

const defaultTiming: SchedulerBrakeTiming = { momentMs: 1_500, pods: 5, oldestMs: 10_000, clearMs: 2_000 }

/**
 * Closes a group's gate while pods of the group wait for a node, with hysteresis: what the scheduler says flickers, and each pod more is one more
 * to try for it. Pure over what it is shown and the clock it is given.
 */
export class SchedulerBrake {
  readonly #now: () => number
  readonly #timing: SchedulerBrakeTiming
  /** Since when each pod has been seen to wait. */
  #waiting = new Map<string, { since: number; message: string }>()
  #closed = false
  #clearSince: number | null = null

  constructor(now: () => number, timing: Partial<SchedulerBrakeTiming> = {}) {
    this.#now = now
    this.#timing = { ...defaultTiming, ...timing }
  }

  /** Replaces what the watch shows: the pods of the group that wait for a node just now. */
  show(pods: Iterable<UnschedulablePod>): void {
    const now = this.#now()
    const waiting = new Map<string, { since: number; message: string }>()
    for (const { name, message } of pods) {
      waiting.set(name, { since: this.#waiting.get(name)?.since ?? now, message })
    }
    this.#waiting = waiting
    this.#decide()
  }

  /** Why it is closed, for people; null while it is open. */
  get reason(): string | null {
    this.#decide()
    if (!this.#closed) return null
    const [first] = this.#waiting.values()
    if (!first) return 'Pods of this group waited for a node until a moment ago.'
    const count = this.#waiting.size
    return `No node takes ${count === 1 ? 'a pod' : `${count} pods`} of this group: ${first.message}`
  }

  /** When it may change without any news; null when it cannot. */
  get nextAt(): number | null {
    this.#decide()
    const { momentMs, oldestMs, clearMs, pods } = this.#timing
    if (this.#closed) return this.#clearSince === null ? null : this.#clearSince + clearMs
    const ages = [...this.#waiting.values()].map(({ since }) => since).sort((a, b) => a - b)
    const [oldest] = ages
    if (oldest === undefined) return null
    const last = ages[pods - 1]
    return Math.min(oldest + oldestMs, last === undefined ? Number.POSITIVE_INFINITY : last + momentMs)
  }

  #decide(): void {
    const now = this.#now()
    const { momentMs, oldestMs, clearMs, pods } = this.#timing
    const ages = [...this.#waiting.values()].map(({ since }) => now - since)
    if (!this.#closed) {
      this.#closed = ages.some((age) => age >= oldestMs) || ages.filter((age) => age >= momentMs).length >= pods
      this.#clearSince = null
      return
    }
    if (ages.length > 0) this.#clearSince = null
    else this.#clearSince ??= now
    if (this.#clearSince !== null && now - this.#clearSince >= clearMs) {
      this.#closed = false
      this.#clearSince = null
    }
  }
}
