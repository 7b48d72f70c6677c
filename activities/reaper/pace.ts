import { setTimeout as sleep } from 'node:timers/promises'

/** What a pace measures and waits by; tests bring their own. Milliseconds. */
export interface PaceClock {
  now(): number
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

const realClock: PaceClock = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
}

/** Lets so many through a second, evenly, whoever asks; nothing is saved up while nobody does. */
export class Pace {
  readonly #everyMs: number
  readonly #clock: PaceClock
  #next = Number.NEGATIVE_INFINITY

  constructor(perSecond: number, clock: PaceClock = realClock) {
    this.#everyMs = 1000 / perSecond
    this.#clock = clock
  }

  /** Resolves when it is the caller's turn; rejects with the signal's reason. */
  async turn(signal: AbortSignal): Promise<void> {
    const now = this.#clock.now()
    const mine = Math.max(now, this.#next)
    this.#next = mine + this.#everyMs
    if (mine > now) await this.#clock.sleep(mine - now, signal)
    signal.throwIfAborted()
  }
}
