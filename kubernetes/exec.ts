import type { Agent } from 'node:http'
import { type RawData, WebSocket } from 'ws'
import { ByteQueue } from './byte-queue.ts'
import type { Connection } from './connection.ts'
import { errorFromResponse, parseStatus, type StatusBody } from './error-shapes.ts'
import { InvalidObjectError, type KubernetesError, ServerError } from './errors.ts'
import { CommandNotStartedError, ContainerNotRunningError, ExecLostError } from './exec-errors.ts'
import { pathUnder } from './http.ts'
import { errorFromNetwork, TimedOut } from './network-errors.ts'

/** How to run a command in a container. */
export interface ExecOptions {
  /** Bytes for the command's stdin; `open`: stdin stays open and empty, so that the command sees EOF when we vanish. Absent: no stdin. */
  stdin?: AsyncIterable<Uint8Array> | 'open'
  /** Gives the command a terminal of this size; its stderr then comes with stdout. */
  terminal?: TerminalSize
  signal?: AbortSignal
  /** Called when there is more on stderr. */
  onStderr?: () => void
}

/** In characters. */
export interface TerminalSize {
  columns: number
  rows: number
}

/** A running command. */
export interface ExecSession {
  /**
   * Ends when the command's output ends; throws what `result` rejects with. Not reading it stops the command (back-pressure); for minutes:
   * the connection is given up, because behind a stopped stream its loss cannot be noticed.
   */
  readonly stdout: AsyncIterable<Buffer>
  /** What came on stderr so far, the last 64 KiB of it. */
  readonly stderr: string
  /** Rejects with ExecLostError, ContainerNotRunningError, CommandNotStartedError, or the signal's reason. */
  readonly result: Promise<{ exitCode: number }>
  /** Changes the size of the command's terminal. */
  resize(size: TerminalSize): void
  /** Drops the connection. Only a command with open stdin notices. */
  abort(): void
}

/** What is to be run where; `path` is the pod's. */
interface ExecTarget {
  path: string
  container: string
  command: string[]
}

/** The API server's channels: the first byte of every frame. */
const channel = { stdin: 0, stdout: 1, stderr: 2, status: 3, resize: 4, close: 255 } as const
const handshakeTimeoutMs = 10_000
const pingMs = 5_000
/** A stopped stream is given up after this time; its reader starts anew at its own offset. */
const pauseLimitMs = 120_000
/** Frames above 16 MiB are refused by servers; pieces of this size also keep pings flowing between them. */
const stdinPieceBytes = 64 * 1024
const stderrLimitBytes = 64 * 1024
/** Stop reading above, go on below. */
const highWaterBytes = 256 * 1024
const lowWaterBytes = 128 * 1024

/** Opens the command's stream. Rejects with the API server's refusal, typed. */
export async function openExec(connection: Connection, target: ExecTarget, options: ExecOptions): Promise<ExecSession> {
  options.signal?.throwIfAborted()
  const authorization = await connection.authorization()
  const socket = new WebSocket(urlOf(connection, target, options), ['v5.channel.k8s.io', 'v4.channel.k8s.io'], {
    agent: connection.agent as Agent,
    headers: { 'user-agent': 'mayfly', ...(authorization ? { authorization } : {}) },
    perMessageDeflate: false,
    skipUTF8Validation: true,
    followRedirects: false,
    handshakeTimeout: handshakeTimeoutMs,
  })
  const session = new Session(socket, connection.host, options.onStderr)
  const { signal } = options
  const abort = () => session.fail(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  session.ended.finally(() => signal?.removeEventListener('abort', abort))
  try {
    await opened(socket, connection, target)
  } catch (error) {
    // A refused upgrade does not always end in `close`.
    signal?.removeEventListener('abort', abort)
    throw signal?.aborted ? signal.reason : error
  }
  session.watchOver()
  if (options.terminal) session.resize(options.terminal)
  if (options.stdin && options.stdin !== 'open') session.pump(options.stdin)
  return session
}

function urlOf(connection: Connection, target: ExecTarget, { stdin, terminal }: ExecOptions): string {
  const query = new URLSearchParams({
    container: target.container,
    stdin: String(stdin !== undefined),
    stdout: 'true',
    stderr: String(!terminal),
    tty: String(terminal !== undefined),
  })
  for (const word of target.command) query.append('command', word)
  const origin = connection.url.origin.replace(/^http/, 'ws')
  return `${origin}${pathUnder(connection, target.path)}/exec?${query}`
}

function opened(socket: WebSocket, connection: Connection, target: ExecTarget): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.on('error', (error) => {
      const late = error.message === 'Opening handshake has timed out'
      reject(errorFromNetwork(connection.host, late ? new TimedOut('answer', handshakeTimeoutMs) : error))
    })
    socket.once('close', () => reject(new ExecLostError('The connection was closed while it was being opened.')))
    socket.once('unexpected-response', (request, response) => {
      let body = ''
      response.on('data', (chunk) => {
        if (body.length < 65_536) body += chunk
      })
      response.once('close', () => {
        request.destroy()
        const status = response.statusCode ?? 0
        const path = `${target.path}/exec`
        reject(refusalOf(errorFromResponse({ host: connection.host, method: 'GET', path, status, body }), body))
      })
    })
  })
}

/** Before a pod has a node, or its kubelet knows it, the upgrade itself is refused. */
function refusalOf(error: KubernetesError, body: string): KubernetesError {
  const text = parseStatus(body)?.message ?? body
  const early = /does not have a host assigned|container not found|pod does not exist/.test(text)
  if (early && (error instanceof InvalidObjectError || error instanceof ServerError)) {
    return new ContainerNotRunningError('The container does not run.', text)
  }
  return error
}

class Session implements ExecSession {
  readonly stdout: AsyncIterable<Buffer>
  readonly result: Promise<{ exitCode: number }>
  /** Settles when the socket is closed; never rejects. */
  readonly ended: Promise<void>
  #socket: WebSocket
  #queue: ByteQueue
  #stderr: Buffer = Buffer.alloc(0)
  #alive = true
  #failure: { reason: unknown } | null = null

  constructor(socket: WebSocket, host: string, onStderr: () => void = () => {}) {
    this.#socket = socket
    this.#queue = new ByteQueue(highWaterBytes, lowWaterBytes, {
      full: () => socket.pause(),
      ready: () => socket.resume(),
    })
    this.stdout = this.#queue
    let status: StatusBody | null = null
    socket.on('pong', () => {
      this.#alive = true
    })
    // Listeners are in place before the socket opens: the first frames come with the answer to the upgrade.
    socket.on('message', (data) => {
      this.#alive = true
      const frame = bufferOf(data)
      const rest = frame.subarray(1)
      if (frame[0] === channel.stdout) this.#queue.push(rest)
      else if (frame[0] === channel.stderr) {
        this.#stderr = Buffer.concat([this.#stderr, rest]).subarray(-stderrLimitBytes)
        onStderr()
      } else if (frame[0] === channel.status) status = statusFrame(rest)
    })
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    this.ended = closed.then(() => {})
    this.result = closed.then((code) => {
      if (status) return endOf(status)
      if (this.#failure) throw this.#failure.reason
      throw new ExecLostError(
        `The connection to ${host} was lost while a command ran in the pod.`,
        `close code ${code}`,
      )
    })
    // The queue ends with the result, so that a lost connection is never taken for the end of the output.
    this.result.then(
      () => this.#queue.end(),
      (error) => this.#queue.fail(error),
    )
  }

  get stderr(): string {
    return this.#stderr.toString('utf8')
  }

  resize({ columns, rows }: TerminalSize): void {
    const size = Buffer.from(JSON.stringify({ Width: columns, Height: rows }))
    this.#send(Buffer.concat([Buffer.of(channel.resize), size]))
  }

  abort(): void {
    this.#socket.terminate()
  }

  /** Drops the connection for a reason that everybody waiting is told. */
  fail(reason: unknown): void {
    this.#failure ??= { reason }
    this.#socket.terminate()
  }

  /** Pings, because a half-open connection is silent for ever; and ends what has been stopped for too long. */
  watchOver(): void {
    let pausedMs = 0
    const timer = setInterval(() => {
      if (this.#socket.isPaused) {
        pausedMs += pingMs
        this.#alive = true
        if (pausedMs >= pauseLimitMs) this.#socket.terminate()
        return
      }
      pausedMs = 0
      if (!this.#alive) return this.#socket.terminate()
      this.#alive = false
      this.#socket.ping()
    }, pingMs)
    this.ended.finally(() => clearInterval(timer))
  }

  /** Sends stdin in pieces, each after the one before it left; v5 then closes it, v4 cannot. */
  async pump(stdin: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const chunk of stdin) {
        for (let at = 0; at < chunk.length; at += stdinPieceBytes) {
          const piece = Buffer.concat([Buffer.of(channel.stdin), chunk.subarray(at, at + stdinPieceBytes)])
          if (!(await this.#send(piece))) return
        }
      }
      if (this.#socket.protocol === 'v5.channel.k8s.io') await this.#send(Buffer.of(channel.close, channel.stdin))
    } catch (error) {
      // The source failed: the command must not wait for the rest.
      this.fail(error)
    }
  }

  /** False where the socket is closed; why is told by `result`. */
  #send(frame: Buffer): Promise<boolean> {
    return new Promise((resolve) => {
      this.#socket.send(frame, (error) => {
        this.#alive = true
        resolve(!error)
      })
    })
  }
}

function bufferOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}

/** The last frame's Status; unlike those in answers it does not name its kind. Null when it is cut off. */
function statusFrame(frame: Buffer): StatusBody | null {
  try {
    return JSON.parse(frame.toString('utf8'))
  } catch {
    return null
  }
}

/** What the kubelet and containerd say of a container before its start, while it ends, and after. */
const notRunning =
  /container not found|pod does not exist|CONTAINER_EXITED|not running|no running task|task \S+ not found|container not created|cannot exec in a (stopped|deleted|created|paused)/i

/** What the API server says when the node's kubelet does not answer it: it restarts, or the node is gone. */
const noKubelet = /error (sending request|dialing backend): /

/** The exit code that a final Status tells; throws where the command never ran. */
function endOf(status: StatusBody): { exitCode: number } {
  if (status.status === 'Success') return { exitCode: 0 }
  const code = status.details?.causes?.find((found) => found.reason === 'ExitCode')?.message
  if (code !== undefined) return { exitCode: Number(code) }
  const text = status.message ?? ''
  if (notRunning.test(text)) throw new ContainerNotRunningError('The container does not run.', text)
  if (noKubelet.test(text)) throw new ExecLostError('The API server does not reach the node of the pod.', text)
  throw new CommandNotStartedError(`The command could not be started in the container: ${text}`, text)
}
