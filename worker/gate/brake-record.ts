import type { Logger } from 'pino'
import type { Store } from '../../store/database.ts'
import { clearBrake, recordBrake } from '../../store/groups.ts'
import type { ClosedBrake } from './brake.ts'

/** A brake that was opened stays on record this long, so that a try which is refused again does not change what waiting jobs say. */
const forgetMs = 2_000
/** A store that did not take what was shown is told it again after so long. */
const againMs = 1_000
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
  #again: NodeJS.Timeout | undefined

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
      if (closed.kind !== this.#recorded?.kind || closed.reason !== this.#recorded.reason) this.#put(closed)
    } else if (this.#recorded && !this.#forget) {
      this.#forget = setTimeout(() => this.#clear(), forgetMs)
    }
  }

  /** Resolves when what was shown is on record. */
  async settled(): Promise<void> {
    await this.#writing
  }

  /** Clears what would have been cleared soon, and writes once more what the store did not take. */
  async stop(): Promise<void> {
    await this.#writing
    if (this.#forget) this.#clear()
    else if (this.#again) this.#write()
    clearTimeout(this.#forget)
    await this.#writing
    clearTimeout(this.#again)
  }

  #clear(): void {
    this.#forget = undefined
    this.#onForgotten()
    this.#put(null)
  }

  #put(closed: ClosedBrake | null): void {
    this.#recorded = closed
    this.#write()
  }

  /** One after the other, so that the last word stays. */
  #write(): void {
    clearTimeout(this.#again)
    this.#again = undefined
    this.#writing = this.#writing.then(() => this.#bringInStep())
  }

  async #bringInStep(): Promise<void> {
    const recorded = this.#recorded
    const { db } = this.#store
    try {
      if (recorded) await recordBrake(db, this.#groupId, recorded.reason, recorded.kind)
      else await clearBrake(db, this.#groupId)
    } catch (error) {
      this.#log.warn({ group: this.#groupId, reason: String(error) }, 'could not write down a brake, and tries again')
      clearTimeout(this.#again)
      this.#again = setTimeout(() => this.#write(), againMs)
    }
  }
}
