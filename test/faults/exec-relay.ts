/** One exec through the proxy: what is sent passes as it comes, until a fault says otherwise. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { deliveryAnswer, proofAnswer } from '../../kubernetes/scripts.ts'
import type { Upstream } from './fault-proxy.ts'
import type { ExecMoment, Fault } from './fault-rules.ts'
import { brings, type Frame, FrameReader, isProofOfLife, says, tellsTheEnd } from './frames.ts'

/** Passes an upgraded connection on. */
export class ExecRelay {
  readonly #request: IncomingMessage
  readonly #near: Socket
  readonly #far: TLSSocket
  readonly #at: (moment: ExecMoment) => Promise<boolean>
  #passed = 0
  #delivered = false

  /** `at` is asked before what makes the moment passes on; it resolves with whether the connection is to be cut there. */
  constructor(
    request: IncomingMessage,
    near: Socket,
    head: Buffer,
    upstream: Upstream,
    at: (moment: ExecMoment) => Promise<boolean>,
  ) {
    this.#request = request
    this.#near = near
    this.#at = at
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
    const up = new Lane(far, (frame) => this.#mayPass(this.#momentUp(frame), fault))
    const down = new Lane(near, (frame) => this.#mayPass(this.#momentDown(frame), fault))
    near.on('data', (chunk: Buffer) => {
      if (this.#exceeds(chunk.length, limit)) this.cut()
      else up.take(chunk)
    })
    let answer: Buffer | undefined = Buffer.alloc(0)
    far.on('data', (chunk: Buffer) => {
      if (answer === undefined) {
        if (this.#exceeds(chunk.length, limit)) this.cut()
        else down.take(chunk)
        return
      }
      // The answer to the upgrade itself is no byte of the command's.
      answer = Buffer.concat([answer, chunk])
      const end = answer.indexOf('\r\n\r\n') + 4
      if (end < 4) return
      near.write(answer.subarray(0, end))
      const rest = answer.subarray(end)
      answer = undefined
      down.take(rest)
    })
    await new Promise<void>((resolve) => {
      for (const [one, other, lane] of [
        [near, far, up],
        [far, near, down],
      ] as const) {
        one.on('error', () => {})
        one.once('end', () => lane.done.then(() => other.end()))
        one.once('close', () => {
          lane.done.then(() => other.destroy())
          resolve()
        })
      }
    })
  }

  /** Ends the connection for both sides. */
  cut(): void {
    this.#near.destroy()
    this.#far.destroy()
  }

  /** What of a session happens with this frame of the client's. */
  #momentUp(frame: Frame): ExecMoment | undefined {
    return this.#delivered && brings(frame, 'stdin') ? 'stored' : undefined
  }

  /** What happens with this frame of the server's. */
  #momentDown(frame: Frame): ExecMoment | undefined {
    if (tellsTheEnd(frame)) return 'answered'
    if (says(frame, 'stderr', proofAnswer.acknowledged)) return 'acknowledged'
    if (this.#delivered) return brings(frame, 'stdout') ? 'output' : undefined
    this.#delivered = says(frame, 'stdout', `${deliveryAnswer.delivered}\n`)
    return this.#delivered ? 'delivered' : undefined
  }

  /** False when the connection was cut instead. */
  async #mayPass(moment: ExecMoment | undefined, fault: Fault | undefined): Promise<boolean> {
    if (moment === undefined) return true
    // To deliver is what a session was asked for first.
    const isAnswer = moment === 'answered' || moment === 'delivered'
    if (!(isAnswer && fault?.kind === 'cut-answer') && !(await this.#at(moment))) return true
    this.cut()
    return false
  }

  #exceeds(bytes: number, limit: number): boolean {
    this.#passed += bytes
    return this.#passed > limit
  }
}

/** What one side sends, frame by frame. Pings and pongs overtake what is held: a connection that is only held must not look dead. */
class Lane {
  /** Settled when everything that came has passed. */
  done: Promise<void> = Promise.resolve()
  readonly #to: Socket
  readonly #mayPass: (frame: Frame) => Promise<boolean>
  readonly #frames = new FrameReader()

  constructor(to: Socket, mayPass: (frame: Frame) => Promise<boolean>) {
    this.#to = to
    this.#mayPass = mayPass
  }

  take(chunk: Buffer): void {
    for (const frame of this.#frames.push(chunk)) {
      if (isProofOfLife(frame)) this.#write(frame)
      else
        this.done = this.done.then(async () => {
          if (await this.#mayPass(frame)) this.#write(frame)
        })
    }
  }

  #write({ raw }: Frame): void {
    if (this.#to.writable) this.#to.write(raw)
  }
}
