import { serve } from '@hono/node-server'
import { createApp } from './app.ts'
import type { ApiDeps } from './context.ts'
import { acceptWebSockets, asksForWebSocket } from './web-sockets.ts'

/** An API that takes connections. */
export interface ApiServer {
  /** Base address, such as `http://127.0.0.1:8052`. */
  url: string
  /** Stops accepting, lets running requests end for a moment, then cuts what is left (open event streams). */
  close(): Promise<void>
}

const graceMs = 5_000

/** Serves the API; port 0 takes a free one. Resolves once it listens, rejects when it cannot. */
export async function startApi(options: { port: number; host: string; deps: ApiDeps }): Promise<ApiServer> {
  const app = createApp(options.deps)
  const server = serve({
    fetch: app.fetch,
    port: options.port,
    hostname: options.host,
    serverOptions: { shouldUpgradeCallback: asksForWebSocket },
  })
  const webSockets = acceptWebSockets(server, app.fetch)
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', reject)
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : options.port
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return {
    url: `http://${host}:${port}`,
    close: () =>
      new Promise((resolve, reject) => {
        const cut = setTimeout(() => 'closeAllConnections' in server && server.closeAllConnections(), graceMs)
        server.close((error) => {
          clearTimeout(cut)
          if (error) reject(error)
          else resolve()
        })
        if ('closeIdleConnections' in server) server.closeIdleConnections()
        webSockets.close()
      }),
  }
}
