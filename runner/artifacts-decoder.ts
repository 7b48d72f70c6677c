/** The artifacts zip is not the base64 text of the announced size. */
export class ArtifactsDamagedError extends Error {
  override name = 'ArtifactsDamagedError'
}

const openBrace = 0x7b
const newline = 0x0a
const notBase64 = /[^A-Za-z0-9+/=]/

/** Decodes the one unbroken base64 run that follows `{"zipfile": size}` on the wire, piece by piece. */
export class ArtifactsDecoder {
  readonly size: number
  #remaining: number
  #decoded = 0
  /** Up to three characters that wait for the rest of their group of four. */
  #carry = ''
  #error: ArtifactsDamagedError | null = null

  /** `size` in bytes of the zip. */
  constructor(size: number) {
    this.size = size
    this.#remaining = Math.ceil(size / 3) * 4
  }

  get done(): boolean {
    return this.#remaining === 0
  }

  /** What is wrong, known for certain once `done`. */
  get error(): ArtifactsDamagedError | null {
    if (this.#error === null && this.done && this.#decoded !== this.size) {
      return new ArtifactsDamagedError(`The artifacts have ${this.#decoded} bytes, announced were ${this.size}`)
    }
    return this.#error
  }

  /** Takes from the chunk what belongs to the zip: `used` bytes of it, decoded to `data`. */
  push(chunk: Buffer): { used: number; data: Buffer } {
    let part = chunk.subarray(0, this.#remaining)
    let text = part.toString('latin1')
    const bad = text.search(notBase64)
    if (bad >= 0) {
      this.#error ??= new ArtifactsDamagedError('The artifacts are not base64')
      const code = part[bad]
      // The writer was cut off and something else follows: read that as lines again. Any other garbage: skip as much as was announced.
      if (code === newline || code === openBrace) {
        part = part.subarray(0, bad)
        this.#remaining = part.length
      }
    }
    this.#remaining -= part.length
    if (this.#error) return { used: part.length, data: Buffer.alloc(0) }
    text = this.#carry + text
    const whole = text.length - (text.length % 4)
    this.#carry = text.slice(whole)
    const data = Buffer.from(text.slice(0, whole), 'base64')
    this.#decoded += data.length
    return { used: part.length, data }
  }
}
