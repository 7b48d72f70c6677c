/** The kubelet's HTTPS server as far as the API server asks it: exec over SPDY/3.1, and the log of a container. */

import type { IncomingMessage } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Duplex } from 'node:stream'
import { FrameReader, FrameWriter } from './spdy-frames.ts'

/** A command that the API server wants run, and its streams. */
export interface ExecCall {
  namespace: string
  pod: string
  container: string
  command: string[]
  /** Ends with the command's stdin; at once where it has none. */
  stdin: AsyncIterable<Buffer>
  /** Aborted when the connection is gone. */
  signal: AbortSignal
  stdout(data: Uint8Array | string): void
  stderr(data: Uint8Array | string): void
  /** Drops the connection without a word, as a broken network does. */
  cut(): void
}

/** How a command ended; a text is the runtime's refusal to run it at all. */
export type ExecEnd = number | { refused: string }

/** What the server is made of. */
export interface ExecServerOptions {
  /** In PEM: the kubelet's own, and the authority that the API server's client certificate must be of. */
  certificate: string
  key: string
  clientAuthority: string
  exec(call: ExecCall): Promise<ExecEnd>
  log(namespace: string, pod: string): string | undefined
}

const protocol = 'v4.channel.k8s.io'

/** Makes the server; `listen` is the caller's. */
export function createExecServer(options: ExecServerOptions): Server {
  const { certificate, key, clientAuthority } = options
  const server = createServer({ cert: certificate, key, ca: clientAuthority, requestCert: true })
  server.on('request', (request, response) => {
    const [, what, namespace = '', pod = ''] = new URL(request.url ?? '/', 'https://kubelet').pathname.split('/')
    const log = what === 'containerLogs' ? options.log(namespace, pod) : undefined
    response.writeHead(log === undefined ? 404 : 200, { 'content-type': 'text/plain' }).end(log ?? 'not found\n')
  })
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const url = new URL(request.url ?? '/', 'https://kubelet')
    const [, what, namespace, pod, container] = url.pathname.split('/').map(decodeURIComponent)
    const offered = String(request.headers['x-stream-protocol-version'] ?? '')
    if (what !== 'exec' || !namespace || !pod || !container || !/^spdy\/3\.1$/i.test(request.headers.upgrade ?? '')) {
      return refuse(socket, '404 Not Found')
    }
    if (!offered.includes(protocol)) return refuse(socket, '403 Forbidden')
    const lines = ['Connection: Upgrade', 'Upgrade: SPDY/3.1', `X-Stream-Protocol-Version: ${protocol}`]
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`)
    const { searchParams } = url
    const wanted = 1 + ['input', 'output', 'error'].filter((name) => isOn(searchParams.get(name))).length
    new ExecConnection(
      socket,
      wanted,
      { namespace, pod, container, command: searchParams.getAll('command') },
      options,
    ).begin(head)
  })
  return server
}

function isOn(value: string | null): boolean {
  return value === '1' || value === 'true'
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

type Target = Pick<ExecCall, 'namespace' | 'pod' | 'container' | 'command'>

/** One exec: the peer opens its streams, then the command runs, then the status goes over the error stream. */
class ExecConnection {
  readonly #socket: Duplex
  readonly #wanted: number
  readonly #target: Target
  readonly #options: ExecServerOptions
  readonly #reader = new FrameReader()
  readonly #writer = new FrameWriter()
  /** Ids by name: error, stdin, stdout, stderr. */
  readonly #streams = new Map<string, number>()
  readonly #stdin = new Inflow()
  readonly #gone = new AbortController()

  constructor(socket: Duplex, wanted: number, target: Target, options: ExecServerOptions) {
    this.#socket = socket
    this.#wanted = wanted
    this.#target = target
    this.#options = options
  }

  begin(head: Buffer): void {
    const socket = this.#socket
    socket.on('error', () => {})
    socket.once('close', () => {
      this.#gone.abort(new Error('the connection is gone'))
      this.#stdin.end()
    })
    const take = (bytes: Buffer) => {
      try {
        this.#take(bytes)
      } catch {
        socket.destroy()
      }
    }
    socket.on('data', take)
    // Without half-open sockets of its own Node would otherwise leave it to us.
    socket.once('end', () => socket.destroy())
    if (head.length > 0) take(head)
  }

  #take(bytes: Buffer): void {
    for (const frame of this.#reader.push(bytes)) {
      if (frame.kind === 'open') {
        const name = frame.headers.get('streamtype') ?? ''
        this.#streams.set(name, frame.stream)
        this.#socket.write(this.#writer.reply(frame.stream))
        if (this.#streams.size === this.#wanted) void this.#run()
      } else if (frame.kind === 'data' && frame.stream === this.#streams.get('stdin')) {
        if (frame.data.length > 0) this.#stdin.push(frame.data)
        if (frame.last) this.#stdin.end()
      } else if (frame.kind === 'ping' && frame.id % 2 === 1) this.#socket.write(this.#writer.ping(frame.id))
      else if (frame.kind === 'away') this.#socket.end()
    }
  }

  async #run(): Promise<void> {
    if (!this.#streams.has('stdin')) this.#stdin.end()
    const end = await this.#options
      .exec({
        ...this.#target,
        stdin: this.#stdin,
        signal: this.#gone.signal,
        stdout: (data) => this.#write('stdout', data),
        stderr: (data) => this.#write('stderr', data),
        cut: () => this.#socket.destroy(),
      })
      .catch((error: unknown): ExecEnd => ({ refused: String(error) }))
    if (this.#socket.destroyed) return
    const pieces = [...this.#streams].map(([name, id]) =>
      this.#writer.data(id, name === 'error' ? Buffer.from(JSON.stringify(statusOf(end))) : Buffer.alloc(0), true),
    )
    this.#socket.end(Buffer.concat(pieces))
  }

  #write(name: string, data: Uint8Array | string): void {
    const id = this.#streams.get(name)
    if (id === undefined || this.#socket.destroyed) return
    this.#socket.write(this.#writer.data(id, typeof data === 'string' ? Buffer.from(data) : data))
  }
}

/** The Status that `remotecommand` expects on the error stream from protocol v4 on. */
export function statusOf(end: ExecEnd): object {
  if (end === 0) return { metadata: {}, status: 'Success' }
  if (typeof end === 'number') {
    return {
      metadata: {},
      status: 'Failure',
      message: `command terminated with non-zero exit code: ${end}`,
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: String(end) }] },
    }
  }
  return { metadata: {}, status: 'Failure', message: end.refused, reason: 'InternalError', code: 500 }
}

/** Bytes that come, for one reader that may be later or earlier than they. */
class Inflow implements AsyncIterable<Buffer> {
  #chunks: Buffer[] = []
  #ended = false
  #wake: () => void = () => {}

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#wake()
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      for (const chunk of this.#chunks.splice(0)) yield chunk
      if (this.#chunks.length > 0) continue
      if (this.#ended) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
