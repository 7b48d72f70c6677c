import type { RawData, WebSocket } from 'ws'
import type { PodShell, TerminalSize } from './pod-shells.ts'

/** Close codes of web sockets (RFC 6455, 7.4): all is done; what was sent makes no sense; something broke. */
const closing = { done: 1000, senseless: 1008, broken: 1011 } as const
/** A connection that is half open is silent for ever. */
const pingMs = 20_000
/** Nothing sensible has more, and a pod that is told so reserves memory for it. */
const mostCharacters = 1_000

/**
 * Joins a web socket and a shell until one of them ends; resolves with why, in a few words. Binary messages are what is typed and printed. Text messages are JSON:
 * `{"resize": {"columns": 80, "rows": 24}}` from the client; `{"exit": {"code": 0}}` or `{"error": "…"}` to it, as the last one.
 */
export async function bridge(socket: WebSocket, shell: PodShell, idleMs: number): Promise<string> {
  let why: string | undefined
  const end = (reason: string, code: number) => {
    why ??= reason
    socket.close(code, reason.slice(0, 100))
    shell.close()
  }
  const idle = setTimeout(() => {
    tell(socket, { error: `Nothing was typed or printed for ${Math.round(idleMs / 1000)} s.` })
    end('idle', closing.done)
  }, idleMs)
  const stopPings = watchOver(socket)
  socket.on('message', (data, isBinary) => {
    idle.refresh()
    if (isBinary) return shell.write(bytesOf(data))
    const size = sizeOf(data)
    if (size) shell.resize(size)
    else end('a text message that is no {"resize": {"columns": …, "rows": …}}', closing.senseless)
  })
  socket.once('close', () => {
    why ??= 'the client left'
    shell.close()
  })
  // What is wrong with a frame is told by the close that follows.
  socket.on('error', () => {})
  try {
    for await (const chunk of shell.output) {
      idle.refresh()
      await sent(socket, chunk)
    }
    const code = await shell.ended
    tell(socket, { exit: { code } })
    end(`exit code ${code}`, closing.done)
  } catch (error) {
    if (why === undefined) {
      const message = error instanceof Error ? error.message : String(error)
      tell(socket, { error: message })
      end(message, closing.broken)
    }
  } finally {
    clearTimeout(idle)
    stopPings()
  }
  return why ?? ''
}

function tell(socket: WebSocket, message: object): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message))
}

/** Resolves when the bytes have left, so that a client that reads slowly slows the command down. */
function sent(socket: WebSocket, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => socket.send(chunk, { binary: true }, () => resolve()))
}

function watchOver(socket: WebSocket): () => void {
  let alive = true
  socket.on('pong', () => {
    alive = true
  })
  const timer = setInterval(() => {
    // Nothing is heard of one that is held back.
    if (socket.isPaused) return
    if (!alive) return socket.terminate()
    alive = false
    socket.ping()
  }, pingMs)
  return () => clearInterval(timer)
}

function bytesOf(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}

function sizeOf(data: RawData): TerminalSize | null {
  try {
    const { resize } = JSON.parse(bytesOf(data).toString('utf8'))
    const { columns, rows } = resize
    return [columns, rows].every(isExtent) ? { columns, rows } : null
  } catch {
    return null
  }
}

/** Whether a terminal may be so wide or so high. */
export function isExtent(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= mostCharacters
}
