/** Image registries on this machine's loopback, which a container runtime of this machine speaks plain HTTP to. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An image registry that has nothing. */
export interface Registry {
  /** Host and port, as the first part of an image's name. */
  host: string
  stop(): Promise<void>
}

/** `empty` says of every image that it does not exist; `silent` takes requests and never answers, so that a pull goes on for ever. */
export async function startRegistry(kind: 'empty' | 'silent'): Promise<Registry> {
  const unknown = JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] })
  const server = createServer((request, response) => {
    if (kind === 'silent') return
    if (request.url === '/v2/') response.end('{}')
    else response.writeHead(404, { 'content-type': 'application/json' }).end(unknown)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    host: `127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
