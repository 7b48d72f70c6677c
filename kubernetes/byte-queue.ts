import { setImmediate as turn } from 'node:timers/promises'

/** What a queue tells its source. */
export interface Source {
  /** The queue is full: stop. */
  full: () => void
  /** There is room again: go on. */
  ready: () => void
}

/** Bytes handed out before everything else that waits gets its turn. */
const turnBytes = 64 * 1024

/** Bytes between a source that pushes and one reader that pulls, with back-pressure at two marks. */
export class ByteQueue implements AsyncIterable<Buffer> {
  #chunks: Buffer[] = []
  #bytes = 0
  #full = false
  #end: { error: unknown } | 'clean' | null = null
  #wake: (() => void) | null = null
  readonly #high: number
  readonly #low: number
  readonly #source: Source

  constructor(high: number, low: number, source: Source) {
    this.#high = high
    this.#low = low
    this.#source = source
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (!this.#full && this.#bytes > this.#high) {
      this.#full = true
      this.#source.full()
    }
    this.#poke()
  }

  /** No more bytes; what is queued can still be read. The first end counts. */
  end(): void {
    this.#end ??= 'clean'
    this.#poke()
  }

  /** As end, but the reader gets the error after what is queued. */
  fail(error: unknown): void {
    this.#end ??= { error }
    this.#poke()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    let handedOut = 0
    for (;;) {
      for (let chunk = this.#chunks.shift(); chunk; chunk = this.#chunks.shift()) {
        this.#bytes -= chunk.length
        if (this.#full && this.#bytes < this.#low) {
          this.#full = false
          this.#source.ready()
        }
        yield chunk
        // A reader that never waits would keep everybody out for as long as something is queued: the database's answers, other jobs.
        handedOut += chunk.length
        if (handedOut >= turnBytes) {
          handedOut = 0
          await turn()
        }
      }
      if (this.#end === 'clean') return
      if (this.#end) throw this.#end.error
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      handedOut = 0
    }
  }

  #poke(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }
}
