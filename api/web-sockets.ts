import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ServerType } from '@hono/node-server'
import { type WebSocket, WebSocketServer } from 'ws'

/**
 * Makes a web socket of a request that asks for one. What is returned is to be the handler's answer; `take` gets the socket once the client has been
 * told, or is not called when the client has gone.
 */
export type Upgrade = (take: (socket: WebSocket) => void) => Response

/** What is sent at once is a line that somebody types or a text that is pasted. */
const mostMessageBytes = 1 << 20
/** A client that does not take leave is cut off. */
const farewellMs = 1_000

/** Whether a request is to become a web socket. Other upgrades, such as to HTTP/2, are not offered, and such a request is answered as it is. */
export function asksForWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === 'websocket'
}

/**
 * Sends requests for web sockets through the same routes as all others, so that they are authenticated, authorised and logged by the same code, and a
 * refusal has the same body. `close` ends all sockets.
 */
export function acceptWebSockets(
  server: ServerType,
  fetch: (request: Request, env: object) => Response | Promise<Response>,
): { close(): void } {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: mostMessageBytes })
  server.on('upgrade', (incoming: IncomingMessage, connection: Duplex, head: Buffer) => {
    // A client that goes while it is being answered is no error.
    connection.on('error', () => {})
    let take: ((socket: WebSocket) => void) | undefined
    const upgrade: Upgrade = (taker) => {
      take = taker
      return new Response(null, { status: 204 })
    }
    const outgoing = { destroy: () => connection.destroy() }
    const answered = async () => await fetch(requestOf(incoming), { incoming, outgoing, upgrade })
    answered().then(
      async (response) => {
        if (connection.destroyed) return
        if (take) sockets.handleUpgrade(incoming, connection, head, take)
        else await refuse(connection, response)
      },
      () => connection.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'),
    )
  })
  return {
    close() {
      for (const socket of sockets.clients) {
        socket.close(1001, 'The server is ending.')
        setTimeout(() => socket.terminate(), farewellMs).unref()
      }
    },
  }
}

function requestOf({ url = '/', headers, method = 'GET' }: IncomingMessage): Request {
  const copied = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value ?? '']) copied.append(name, one)
  }
  return new Request(new URL(url, `http://${headers.host ?? 'localhost'}`), { method, headers: copied })
}

/** Writes the answer as it is; one that succeeded is of a path that is no web socket. */
async function refuse(connection: Duplex, response: Response): Promise<void> {
  const refusal =
    response.status < 300 ? Response.json({ detail: 'This is not a web socket.' }, { status: 400 }) : response
  if (refusal !== response) await response.body?.cancel()
  const body = Buffer.from(await refusal.arrayBuffer())
  const headers = [...refusal.headers].map(([name, value]) => `${name}: ${value}\r\n`).join('')
  connection.end(
    Buffer.concat([
      Buffer.from(
        `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}\r\n${headers}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
      ),
      body,
    ]),
  )
}
