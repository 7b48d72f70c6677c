/** A server that speaks Galaxy's protocol (v3 for collections, v1 for roles) for what a test gives it, to whoever brings the token. */
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A collection as `ansible-galaxy collection build` makes it. */
export interface ServedCollection {
  namespace: string
  name: string
  version: string
  /** The tar.gz. */
  content: Buffer
}

/** A role, as an archive with one folder at its top. */
export interface ServedRole {
  owner: string
  name: string
  version: string
  content: Buffer
}

/** The server, running. */
export interface GalaxyServer {
  url: string
  /** Paths that were asked for with the right token, in order. */
  served: string[]
  /** How many requests came without it. */
  refused(): number
  stop(): Promise<void>
}

/** Starts a server. What is a download needs no token, as Galaxy's own downloads lie elsewhere. */
export async function startGalaxyServer(
  token: string,
  { collections = [], roles = [] }: { collections?: ServedCollection[]; roles?: ServedRole[] },
): Promise<GalaxyServer> {
  const served: string[] = []
  let refused = 0
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://server')
    const file = [...collections, ...roles].find((one) => pathname === downloadPath(one))
    if (file) {
      served.push(pathname)
      response.end(file.content)
      return
    }
    if (request.headers.authorization !== `Token ${token}`) {
      refused += 1
      response.writeHead(401, { 'content-type': 'application/json' }).end('{"detail": "no token"}')
      return
    }
    const origin = `http://${request.headers.host}`
    const answer = describe(pathname.replace(/\/?$/, '/'), new URL(request.url ?? '', origin), { collections, roles })
    served.push(pathname)
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer ?? { detail: 'not found' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    served,
    refused: () => refused,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function downloadPath(file: ServedCollection | ServedRole): string {
  return `/download/${'namespace' in file ? file.namespace : file.owner}-${file.name}-${file.version}.tar.gz`
}

/** The document at a path of the protocol; undefined for what is not there. */
function describe(
  path: string,
  url: URL,
  { collections, roles }: { collections: ServedCollection[]; roles: ServedRole[] },
): unknown {
  if (path === '/api/') return { available_versions: { v1: 'v1/', v3: 'v3/' } }
  const [, space, title] = /^\/api\/v3\/collections\/([^/]+)\/([^/]+)\/$/.exec(path) ?? []
  if (collections.some((one) => one.namespace === space && one.name === title)) {
    return { namespace: space, name: title, created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' }
  }
  const [, namespace, name, version] =
    /^\/api\/v3\/collections\/([^/]+)\/([^/]+)\/versions\/(?:([^/]+)\/)?$/.exec(path) ?? []
  const found = collections.filter((one) => one.namespace === namespace && one.name === name)
  if (namespace && version === undefined) return { data: found.map((one) => ({ version: one.version })), links: {} }
  const collection = found.find((one) => one.version === version)
  if (collection) {
    return {
      namespace: { name: namespace },
      collection: { name },
      version,
      href: path,
      download_url: downloadPath(collection),
      artifact: { sha256: createHash('sha256').update(collection.content).digest('hex') },
      metadata: { dependencies: {} },
    }
  }
  if (path === '/api/v1/roles/') {
    const { searchParams } = url
    const wanted = roles.findIndex(
      (role) => role.owner === searchParams.get('owner__username') && role.name === searchParams.get('name'),
    )
    return { results: wanted < 0 ? [] : [{ id: wanted + 1, name: roles[wanted]?.name }] }
  }
  const role = roles[Number(/^\/api\/v1\/roles\/(\d+)\/versions\/$/.exec(path)?.[1] ?? 0) - 1]
  return (
    role && { results: [{ name: role.version, download_url: new URL(downloadPath(role), url).href }], next_link: null }
  )
}
