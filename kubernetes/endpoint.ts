import { readFile } from 'node:fs/promises'
import { ConfigurationError } from './errors.ts'

/** TLS options for Node; with `rejectUnauthorized` and no `ca` the system's roots decide. */
export interface TlsOptions {
  ca?: string
  cert?: string
  key?: string
  servername?: string
  rejectUnauthorized: boolean
}

/** Where an API server is and how to present oneself there. */
export interface Endpoint {
  /** Without trailing slash; may have a path (Rancher). */
  url: URL
  tls: TlsOptions
  /** Value of the Authorization header; null with client certificates. Asked before every request, because tokens rotate. */
  authorization: () => Promise<string | null>
  /** Who we are there, without a secret: for the cluster's key. */
  identity: string
  /** Everything that makes this endpoint differ from another, secrets included. Never leaves this room. */
  fingerprint: string
}

/** The address of an API server as people write it; https where no scheme is given. Throws ConfigurationError. */
export function parseHost(host: string): URL {
  const text = host.trim()
  try {
    const url = new URL(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`)
    if (url.protocol === 'https:' || url.protocol === 'http:') return url
  } catch {
    // Told below.
  }
  throw new ConfigurationError(`The address of the Kubernetes API is not a URL: ${JSON.stringify(text)}.`)
}

/** The `sub` of a service account's token, which stays when the token rotates; opaque tokens have no name. */
export function tokenSubject(token: string): string {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    if (typeof claims === 'object' && claims !== null && 'sub' in claims && typeof claims.sub === 'string')
      return claims.sub
  } catch {
    // An opaque token.
  }
  return 'bearer'
}

/** Rereads a token file once a minute: kubelet replaces projected tokens long before they expire. */
export function tokenFile(path: string): () => Promise<string> {
  let token = ''
  let readAt = Number.NEGATIVE_INFINITY
  return async () => {
    if (performance.now() - readAt > 60_000) {
      try {
        token = (await readFile(path, 'utf8')).trim()
      } catch (error) {
        throw new ConfigurationError(`The token file ${path} cannot be read.`, String(error))
      }
      readAt = performance.now()
    }
    return `Bearer ${token}`
  }
}
