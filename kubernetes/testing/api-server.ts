/** A scripted API server on this machine, plain HTTP: for faults that no real one makes on demand. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { type Cluster, openCluster } from '../cluster.ts'

/** Answers one request; `body` was read to its end. */
export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** An API server that answers what a test tells it to. */
export class ScriptedApiServer {
  /** Called for every plain request. */
  answer: Answer = (_request, response) => response.writeHead(404).end()
  /** Called for every exec; undefined status means: upgrade, then call onExec. */
  refuseExec: { status: number; body: unknown } | null = null
  onExec: (socket: WebSocket, raw: Duplex, request: IncomingMessage) => void = () => {}
  protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io']
  readonly cluster: Cluster
  readonly #server: Server
  readonly #connections = new Set<Duplex>()

  private constructor(server: Server) {
    this.#server = server
    const { port } = server.address() as AddressInfo
    this.cluster = openCluster({
      kind: 'bearer',
      host: `http://127.0.0.1:${port}`,
      token: 'token-of-the-test',
      verifyTls: true,
    })
    server.on('connection', (socket) => {
      this.#connections.add(socket)
      socket.once('close', () => this.#connections.delete(socket))
    })
    server.on('request', async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      this.answer(request, response, body)
    })
    const upgrades = new WebSocketServer({
      noServer: true,
      handleProtocols: (offered) => this.protocols.find((protocol) => offered.has(protocol)) ?? false,
      autoPong: true,
    })
    server.on('upgrade', (request, raw, head) => {
      if (this.refuseExec) {
        const text = JSON.stringify(this.refuseExec.body)
        raw.end(
          `HTTP/1.1 ${this.refuseExec.status} No\r\ncontent-length: ${text.length}\r\nconnection: close\r\n\r\n${text}`,
        )
        return
      }
      upgrades.handleUpgrade(request, raw, head, (socket) => this.onExec(socket, raw, request))
    })
  }

  static async start(): Promise<ScriptedApiServer> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new ScriptedApiServer(server)
  }

  get connections(): number {
    return this.#connections.size
  }

  /** Drops every connection without a word. */
  drop(): void {
    for (const connection of this.#connections) connection.destroy()
  }

  async stop(): Promise<void> {
    this.cluster.close()
    this.drop()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** Frames as the API server sends them. */
export const frame = {
  stdout: (data: Buffer | string) => Buffer.concat([Buffer.of(1), Buffer.from(data)]),
  stderr: (data: string) => Buffer.concat([Buffer.of(2), Buffer.from(data)]),
  status: (status: object) => Buffer.concat([Buffer.of(3), Buffer.from(JSON.stringify({ metadata: {}, ...status }))]),
  success: () => frame.status({ status: 'Success' }),
  exit: (code: number) =>
    frame.status({
      status: 'Failure',
      reason: 'NonZeroExitCode',
      message: `command terminated with non-zero exit code: exit status ${code}`,
      details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
    }),
  failure: (message: string) => frame.status({ status: 'Failure', reason: 'InternalError', code: 500, message }),
}

/** Answers with JSON. */
export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
