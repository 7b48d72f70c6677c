import type { Logger } from 'pino'
import type { Store } from '../../store/database.ts'
import { clearBrake, recordBrake } from '../../store/groups.ts'
import type { ClosedBrake } from './brake.ts'

/** A brake that was opened stays on record this long, so that a try which is refused again does not change what waiting jobs say. */
const forgetMs = 2_000
/** By then the jobs that a dead worker had let in are tried again (the heartbeat time-out of `admit`). */
const inheritedMs = 15_000

/** Keeps in the store why a group admits nobody, for whoever asks why a job waits. */
export class BrakeRecord {
  readonly #store: Store
  readonly #groupId: number
  readonly #log: Logger
  /** It admitted for a while. */
  readonly #onForgotten: () => void
  #recorded: ClosedBrake | null = null
  #writing: Promise<void> = Promise.resolve()
  #forget: NodeJS.Timeout | undefined

  constructor({ store, log }: { store: Store; log: Logger }, groupId: number, onForgotten: () => void) {
    this.#store = store
    this.#log = log
    this.#groupId = groupId
    this.#onForgotten = onForgotten
  }

  /** What is on record comes from a process that ended while its brake was closed; it holds until somebody has tried again. */
  inherit(): void {
    this.#forget = setTimeout(() => this.#clear(), inheritedMs)
  }

  /** Brings the record in step with the brake. */
  show(closed: ClosedBrake | null): void {
    if (closed) {
      clearTimeout(this.#forget)
      this.#forget = undefined
      if (closed.kind !== this.#recorded?.kind || closed.reason !== this.#recorded.reason) this.#write(closed)
    } else if (this.#recorded && !this.#forget) {
      this.#forget = setTimeout(() => this.#clear(), forgetMs)
    }
  }

  /** Resolves when what was shown is on record. */
  async settled(): Promise<void> {
    await this.#writing
  }

  async stop(): Promise<void> {
    await this.#writing
    if (!this.#forget) return
    clearTimeout(this.#forget)
    await this.#clear()
  }

  #write(closed: ClosedBrake): void {
    this.#recorded = closed
    this.#then('record', () => recordBrake(this.#store.db, this.#groupId, closed.reason, closed.kind))
  }

  async #clear(): Promise<void> {
    this.#forget = undefined
    this.#recorded = null
    this.#onForgotten()
    this.#then('clear', () => clearBrake(this.#store.db, this.#groupId))
    await this.#writing
  }

  /** One after the other, so that the last word stays. */
  #then(what: string, write: () => Promise<void>): void {
    this.#writing = this.#writing.then(write).catch((error) => {
      this.#log.warn({ group: this.#groupId, reason: String(error) }, `could not ${what} a brake`)
    })
  }
}
