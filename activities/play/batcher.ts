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
 * line by line at once. At most one commit is in flight; memory is bounded, since `add` waits while more than `maxBytes` are gathered: until
 * a commit takes them over, so that the next ones are read while these are stored.
 */
export class Batcher<T> {
  readonly #commit: (batch: Stretch<T>) => Promise<void>
  readonly #maxBytes: number
  #pending: Stretch<T> | undefined
  #running: Promise<void> | undefined
  /** Called once what was gathered is taken over by a commit, or never will be. */
  #taken: (() => void) | undefined
  #failure: { error: unknown } | undefined
  readonly #onFailure: (error: unknown) => void

  /** `onFailure` is called at once, with what the next `add` or `flush` throws: nobody knows when that comes. */
  constructor(
    commit: (batch: Stretch<T>) => Promise<void>,
    { maxBytes = 2 << 20, onFailure = () => {} }: { maxBytes?: number; onFailure?: (error: unknown) => void } = {},
  ) {
    this.#commit = commit
    this.#maxBytes = maxBytes
    this.#onFailure = onFailure
  }

  /** Takes a stretch over; resolves when there is room for the next one. Throws what a commit threw. One call at a time. */
  async add(stretch: Stretch<T>): Promise<void> {
    this.#throwFailure()
    if (this.#pending) {
      for (const item of stretch.items) this.#pending.items.push(item)
      this.#pending.end = stretch.end
      this.#pending.bytes += stretch.bytes
    } else {
      this.#pending = { ...stretch, items: [...stretch.items] }
    }
    this.#running ??= this.#drain()
    if (this.#pending && this.#pending.bytes > this.#maxBytes) {
      await new Promise<void>((resolve) => {
        this.#taken = resolve
      })
    }
    this.#throwFailure()
  }

  /** Resolves when everything added so far is stored. Throws what a commit threw. */
  async flush(): Promise<void> {
    while (this.#running) await this.#running
    this.#throwFailure()
  }

  async #drain(): Promise<void> {
    try {
      for (let batch = this.#take(); batch; batch = this.#take()) await this.#commit(batch)
    } catch (error) {
      this.#failure = { error }
      this.#take()
      this.#onFailure(error)
    } finally {
      this.#running = undefined
    }
  }

  #take(): Stretch<T> | undefined {
    const batch = this.#pending
    this.#pending = undefined
    this.#taken?.()
    this.#taken = undefined
    return batch
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error
  }
}
