/** The frames of a web socket, as far as it takes to see what passes over an exec's. */

/** Opcodes. */
const close = 8
const ping = 9

/** First bytes of frames: what they carry. */
const channel = { stdin: 0, stdout: 1, stderr: 2, status: 3 } as const

/** A whole frame, with its bytes as they came. */
export interface Frame {
  raw: Buffer
  opcode: number
  /** Unmasked. */
  payload: Buffer
}

/** Cuts what one side sends into frames. */
export class FrameReader {
  #rest = Buffer.alloc(0)

  /** The frames that are whole now. */
  push(chunk: Buffer): Frame[] {
    this.#rest = Buffer.concat([this.#rest, chunk])
    const frames: Frame[] = []
    for (let frame = this.#next(); frame; frame = this.#next()) frames.push(frame)
    return frames
  }

  #next(): Frame | undefined {
    const bytes = this.#rest
    const [first = 0, second = 0] = bytes
    const size = second & 127
    const extended = size === 126 ? 2 : size === 127 ? 8 : 0
    const isMasked = (second & 128) !== 0
    const head = 2 + extended + (isMasked ? 4 : 0)
    if (bytes.length < head) return undefined
    const length = extended === 2 ? bytes.readUInt16BE(2) : extended === 8 ? Number(bytes.readBigUInt64BE(2)) : size
    if (bytes.length < head + length) return undefined
    const payload = Buffer.from(bytes.subarray(head, head + length))
    if (isMasked) {
      const mask = bytes.subarray(head - 4, head)
      for (const [index, byte] of payload.entries()) payload[index] = byte ^ (mask[index % 4] ?? 0)
    }
    this.#rest = Buffer.from(bytes.subarray(head + length))
    return { raw: Buffer.from(bytes.subarray(0, head + length)), opcode: first & 15, payload }
  }
}

/** Pings and pongs, which nothing has to wait for. */
export function isProofOfLife({ opcode }: Frame): boolean {
  return opcode >= ping
}

/** Whether a frame of a server's tells a command's end. */
export function tellsTheEnd({ opcode, payload }: Frame): boolean {
  return opcode === close || (opcode < close && payload[0] === channel.status)
}

/** Whether a frame says this, from its beginning on. */
export function says({ opcode, payload }: Frame, on: 'stdout' | 'stderr', word: string): boolean {
  return opcode < close && payload[0] === channel[on] && payload.subarray(1).toString('latin1').startsWith(word)
}

/** Whether a frame brings bytes of this kind. */
export function brings({ opcode, payload }: Frame, of: 'stdin' | 'stdout'): boolean {
  return opcode < close && payload[0] === channel[of] && payload.length > 1
}
