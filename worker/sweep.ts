import type { Logger } from 'pino'
import { reasonOf } from './reason.ts'

/** What a sweep does, and how often. */
export interface SweepOptions {
  everyMs: number
  /** Looks once, and tells what it found. */
  look: () => Promise<void>
  /** For the log where a look failed; the next one tries again. */
  failed: string
  log: Logger
}

/** Looks now and then for what nobody tells of. One look at a time: one that is slow is not joined by the next. */
export class Sweep {
  readonly #options: SweepOptions
  #timer: NodeJS.Timeout | undefined
  #pass: Promise<void> | undefined

  constructor(options: SweepOptions) {
    this.#options = options
  }

  /** Looks from now on, first after one interval, or also `atOnce`. */
  start({ atOnce = false } = {}): void {
    this.#timer = setInterval(() => this.#look(), this.#options.everyMs)
    if (atOnce) this.#look()
  }

  /** Resolves when no look is under way any more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#pass
  }

  #look(): void {
    const { look, failed, log } = this.#options
    this.#pass ??= look()
      .catch((error) => log.warn({ reason: reasonOf(error) }, failed))
      .finally(() => {
        this.#pass = undefined
      })
  }
}
