/** A TCP proxy whose connections can be cut, or frozen so that neither side learns of it. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { freePort } from '../setup/port.ts'

/** A TCP proxy that a test can cut or freeze. */
export class CutProxy {
  readonly #server: Server
  readonly #pairs = new Set<[Socket, Socket]>()

  private constructor(server: Server) {
    this.#server = server
  }

  /** Passes on to this host and port; listens where it is told to, else on a port that stays free while the proxy is stopped. */
  static async start(host: string, port: number, wantedPort?: number): Promise<CutProxy> {
    const listenPort = wantedPort ?? (await freePort())
    const server = createServer()
    const proxy = new CutProxy(server)
    server.on('connection', (near) => {
      const far = connect(port, host)
      const pair: [Socket, Socket] = [near, far]
      proxy.#pairs.add(pair)
      near.pipe(far)
      far.pipe(near)
      for (const socket of pair) {
        socket.on('error', () => {})
        socket.once('close', () => {
          for (const other of pair) other.destroy()
          proxy.#pairs.delete(pair)
        })
      }
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(listenPort, '127.0.0.1', resolve)
    })
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get connections(): number {
    return this.#pairs.size
  }

  /** Resets every connection on both sides. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy()
  }

  /** From now on nothing passes on the connections that exist; new ones work. */
  freeze(): void {
    for (const [near, far] of this.#pairs) {
      near.unpipe(far)
      far.unpipe(near)
      near.pause()
      far.pause()
    }
  }

  async stop(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
