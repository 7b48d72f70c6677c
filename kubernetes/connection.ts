import { createHash, createHmac, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { createSecureContext, getCACertificates, type ConnectionOptions as TlsConnectionOptions } from 'node:tls'
import { type Endpoint, parseHost, type TlsOptions, tokenFile, tokenSubject } from './endpoint.ts'
import { ConfigurationError } from './errors.ts'
import { readKubeconfig } from './kubeconfig.ts'
import { type ClusterTarget, CredentialIncompleteError } from './target.ts'

/** An endpoint with its kept-alive connections. */
export interface Connection extends Endpoint {
  agent: HttpAgent
  host: string
  key: string
  connectionKey: string
}

/** Free connections are dropped after this time, before balancers on the way silently forget them. */
const freeSocketMs = 30_000
/** Only within this process, so that not even a short token could be guessed from a connection key. */
const processSecret = randomBytes(32)

/** Resolves a target to a connection; connects to nothing. Throws ConfigurationError where the target cannot be used. */
export function openConnection(target: ClusterTarget): Connection {
  const endpoint = endpointOf(target)
  const options = { keepAlive: true, timeout: freeSocketMs, maxFreeSockets: 16 }
  const agent =
    endpoint.url.protocol === 'http:' ? new HttpAgent(options) : new HttpsAgent({ ...options, ...tlsFor(endpoint.tls) })
  const path = endpoint.url.pathname.replace(/\/+$/, '')
  return {
    ...endpoint,
    agent,
    host: endpoint.url.host,
    key: createHash('sha256').update(`${endpoint.url.host}${path}\0${endpoint.identity}`).digest('hex').slice(0, 16),
    connectionKey: createHmac('sha256', processSecret).update(endpoint.fingerprint).digest('hex').slice(0, 32),
  }
}

/** Node alone would trust only the roots it was built with. */
let systemRoots: string[] | null = null

function tlsFor({ servername, rejectUnauthorized, ...material }: TlsOptions): TlsConnectionOptions {
  if (rejectUnauthorized && !material.ca) {
    systemRoots ??= [...new Set([...getCACertificates('default'), ...getCACertificates('system')])]
  }
  const ca = material.ca ?? (rejectUnauthorized ? (systemRoots ?? []) : [])
  // Made once: parsing hundreds of roots for every connection would cost more than the connection.
  const secureContext = createSecureContext({ ...material, ...(ca.length > 0 ? { ca } : {}) })
  return { secureContext, rejectUnauthorized, ...(servername ? { servername } : {}) }
}

function endpointOf(target: ClusterTarget): Endpoint {
  switch (target.kind) {
    case 'bearer': {
      if (!target.token) throw new CredentialIncompleteError('The Kubernetes credential lacks bearer_token.')
      return {
        url: parseHost(target.host),
        tls: { rejectUnauthorized: target.verifyTls, ...(target.caCert ? { ca: target.caCert } : {}) },
        authorization: async () => `Bearer ${target.token}`,
        identity: tokenSubject(target.token),
        fingerprint: JSON.stringify(target),
      }
    }
    case 'kubeconfig':
      return readKubeconfig(target)
    case 'in-cluster':
      return inCluster()
  }
}

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'

function inCluster(): Endpoint {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env
  if (!host || !port) {
    throw new ConfigurationError('This process does not run in a Kubernetes pod: KUBERNETES_SERVICE_HOST is not set.')
  }
  let ca: string
  let token: string
  try {
    ca = readFileSync(`${serviceAccountFolder}/ca.crt`, 'utf8')
    token = readFileSync(`${serviceAccountFolder}/token`, 'utf8').trim()
  } catch (error) {
    throw new ConfigurationError('The pod of this process has no service account token mounted.', String(error))
  }
  const url = parseHost(`https://${host.includes(':') ? `[${host}]` : host}:${port}`)
  return {
    url,
    tls: { ca, rejectUnauthorized: true },
    authorization: tokenFile(`${serviceAccountFolder}/token`),
    identity: tokenSubject(token),
    fingerprint: `in-cluster ${url.href}`,
  }
}
