/** One exec through the proxy: bytes pass as they come, until a fault says otherwise. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import type { Upstream } from './fault-proxy.ts'
import type { Fault } from './fault-rules.ts'

/** First byte of a frame that carries the command's end. */
const statusChannel = 3

/** Passes an upgraded connection on. */
export class ExecRelay {
  readonly #request: IncomingMessage
  readonly #near: Socket
  readonly #far: TLSSocket
  readonly #answered: () => Promise<boolean>
  #passed = 0

  constructor(
    request: IncomingMessage,
    near: Socket,
    head: Buffer,
    upstream: Upstream,
    answered: () => Promise<boolean>,
  ) {
    this.#request = request
    this.#near = near
    this.#answered = answered
    this.#far = connect({
      ...{ host: upstream.host, port: upstream.port, servername: upstream.servername },
      ...(upstream.ca === undefined ? {} : { ca: upstream.ca }),
      ALPNProtocols: ['http/1.1'],
    })
    if (head.length > 0) near.unshift(head)
  }

  /** Resolves when the connection is over. */
  async run(fault: Fault | undefined): Promise<void> {
    const [near, far] = [this.#near, this.#far]
    const lines = [`GET ${this.#request.url} HTTP/1.1`]
    const { rawHeaders } = this.#request
    for (let at = 0; at < rawHeaders.length; at += 2) lines.push(`${rawHeaders[at]}: ${rawHeaders[at + 1]}`)
    far.write(`${lines.join('\r\n')}\r\n\r\n`)
    const limit = fault?.kind === 'cut-amid' ? fault.bytes : Number.POSITIVE_INFINITY
    near.on('data', (chunk: Buffer) => {
      if (this.#exceeds(chunk.length, limit)) this.#cut()
      else if (!far.write(chunk)) near.pause()
    })
    far.on('drain', () => near.resume())
    near.on('drain', () => far.resume())
    const frames = new ServerFrames()
    far.on('data', (chunk: Buffer) => {
      // The answer to the upgrade itself is no byte of the command's.
      if (frames.upgraded && this.#exceeds(chunk.length, limit)) return this.#cut()
      if (!frames.tellsTheEnd(chunk)) {
        if (!near.write(chunk)) far.pause()
        return
      }
      if (fault?.kind === 'cut-answer') return this.#cut()
      // Whatever follows the end has to wait with it.
      far.pause()
      this.#answered().then((cut) => {
        if (cut) return this.#cut()
        near.write(chunk)
        far.resume()
      })
    })
    await new Promise<void>((resolve) => {
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on('error', () => {})
        one.once('end', () => other.end())
        one.once('close', () => {
          other.destroy()
          resolve()
        })
      }
    })
  }

  #exceeds(bytes: number, limit: number): boolean {
    this.#passed += bytes
    return this.#passed > limit
  }

  #cut(): void {
    this.#near.destroy()
    this.#far.destroy()
  }
}

/** Follows the frames that a server sends, as far as it takes to see which of them tells a command's end. */
class ServerFrames {
  upgraded = false
  #rest = Buffer.alloc(0)

  /** Whether the end is told in what has now come. */
  tellsTheEnd(chunk: Buffer): boolean {
    this.#rest = Buffer.concat([this.#rest, chunk])
    if (!this.upgraded) {
      const end = this.#rest.indexOf('\r\n\r\n')
      if (end < 0) return false
      this.upgraded = true
      this.#rest = this.#rest.subarray(end + 4)
    }
    for (;;) {
      const size = (this.#rest[1] ?? 0) & 127
      const head = size === 126 ? 4 : size === 127 ? 10 : 2
      if (this.#rest.length < head) return false
      const length =
        size === 126 ? this.#rest.readUInt16BE(2) : size === 127 ? Number(this.#rest.readBigUInt64BE(2)) : size
      if (this.#rest.length < head + length) return false
      const isClose = ((this.#rest[0] ?? 0) & 15) === 8
      const isData = ((this.#rest[0] ?? 0) & 15) <= 2
      const isEnd = isClose || (isData && length > 0 && this.#rest[head] === statusChannel)
      this.#rest = this.#rest.subarray(head + length)
      if (isEnd) return true
    }
  }
}
