/** How much of a line is kept, in bytes. */
export interface LineLimits {
  /** Lines up to this are kept whole. */
  whole: number
  /** Of longer ones this much of their beginning and end. */
  head: number
  tail: number
}

/** A line; of one that is too long `line` is its beginning and `tail` its end, between which `leftOut` bytes are missing. */
export type TakenLine = { line: Buffer } | { line: Buffer; tail: Buffer; leftOut: number }

/** Gathers the pieces of a line. Memory is bounded by the limits, whatever the line's length. */
export class LineBuffer {
  readonly #limits: LineLimits
  #length = 0
  #head: Buffer | undefined
  /** All pieces so far, or those of the end once the beginning is set aside. */
  #pieces: Buffer[] = []
  #kept = 0

  constructor(limits: LineLimits) {
    this.#limits = limits
  }

  get isEmpty(): boolean {
    return this.#length === 0
  }

  /** Takes a piece over: the caller does not change it any more. */
  push(piece: Buffer): void {
    if (piece.length === 0) return
    this.#length += piece.length
    this.#kept += piece.length
    this.#pieces.push(piece)
    if (this.#length <= this.#limits.whole) return
    if (!this.#head) this.#setAside()
    for (
      let first = this.#pieces[0];
      first && this.#kept - first.length >= this.#limits.tail;
      first = this.#pieces[0]
    ) {
      this.#pieces.shift()
      this.#kept -= first.length
    }
  }

  #setAside(): void {
    const all = Buffer.concat(this.#pieces)
    // A copy, so that what lies between is not held.
    this.#head = Buffer.from(all.subarray(0, this.#limits.head))
    this.#pieces = [Buffer.from(all.subarray(this.#head.length).subarray(-this.#limits.tail))]
    this.#kept = this.#pieces[0]?.length ?? 0
  }

  /** What was gathered; it begins anew. */
  take(): TakenLine {
    const [only] = this.#pieces
    const gathered = this.#pieces.length === 1 && only ? only : Buffer.concat(this.#pieces)
    const [head, length] = [this.#head, this.#length]
    this.#length = 0
    this.#kept = 0
    this.#pieces = []
    this.#head = undefined
    if (!head) return { line: gathered }
    const tail = gathered.subarray(-this.#limits.tail)
    return { line: head, tail, leftOut: length - head.length - tail.length }
  }
}
