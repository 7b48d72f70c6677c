/** One stretch of the spool: what it holds and where it ends. */
export interface Stretch<T> {
  items: T[]
  /** Absolute offset after the last whole record. */
  end: number
  /** Rough size in memory, in bytes. */
  bytes: number
}

/**
 * Gathers what is read while the store is busy with the batch before, so that a fast pod is stored in few large transactions and a slow one
 * line by line at once. At most one commit is in flight; memory is bounded, since `add` waits when more than `maxBytes` are gathered.
 */
export class Batcher<T> {
  readonly #commit: (batch: Stretch<T>) => Promise<void>
  readonly #maxBytes: number
  #pending: Stretch<T> | undefined
  #running: Promise<void> | undefined
  #failure: { error: unknown } | undefined

  constructor(commit: (batch: Stretch<T>) => Promise<void>, maxBytes = 4 << 20) {
    this.#commit = commit
    this.#maxBytes = maxBytes
  }

  /** Takes a stretch over; resolves when there is room for the next one. Throws what a commit threw. */
  async add(stretch: Stretch<T>): Promise<void> {
    this.#throwFailure()
    if (this.#pending) {
      this.#pending.items.push(...stretch.items)
      this.#pending.end = stretch.end
      this.#pending.bytes += stretch.bytes
    } else {
      this.#pending = { ...stretch, items: [...stretch.items] }
    }
    this.#running ??= this.#drain()
    while (this.#pending && this.#pending.bytes > this.#maxBytes && this.#running) await this.#running
    this.#throwFailure()
  }

  /** Resolves when everything added so far is stored. Throws what a commit threw. */
  async flush(): Promise<void> {
    while (this.#running) await this.#running
    this.#throwFailure()
  }

  async #drain(): Promise<void> {
    try {
      while (this.#pending) {
        const batch = this.#pending
        this.#pending = undefined
        await this.#commit(batch)
      }
    } catch (error) {
      this.#failure = { error }
      this.#pending = undefined
    } finally {
      this.#running = undefined
    }
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error
  }
}
