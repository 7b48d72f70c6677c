import type { Agent as HttpsAgent } from 'node:https'
import { isIP } from 'node:net'
import { connect } from 'node:tls'
import type { PodManifest } from '../model/pod-template-types.ts'
import type { Connection } from './connection.ts'
import { ForbiddenError, InvalidObjectError, NotFoundError, type TlsReason, UnauthorizedError } from './errors.ts'
import { callApi, type RequestOptions } from './http.ts'
import { tlsReason } from './network-errors.ts'
import type { Pod } from './objects.ts'

/** A right as RBAC speaks of it; the resource with its subresource, as `pods/exec`. */
export interface Right {
  verb: string
  resource: string
}

/** How an API server was met. */
export interface Contact {
  /** Such as `v1.34.4`; '' where it tells nobody. */
  version: string
  /** Null without TLS, or when it could not be looked at. */
  certificate: EndpointCertificate | null
}

/** What an API server shows of itself. */
export interface EndpointCertificate {
  /** False where verification is switched off. */
  verified: boolean
  /** What verification would find; null: nothing. */
  problem: TlsReason | null
  issuer: string
  expires: Date
}

/** Who we are to an API server. */
export interface Identity {
  /** '' where the server is too old to tell. */
  name: string
  /** When the token says that it ends; null where it does not. */
  expires: Date | null
}

/** Looks into an API server and changes nothing. Throws the errors of errors.ts. */
export interface ClusterProbe {
  contact(options?: RequestOptions): Promise<Contact>
  /** Throws UnauthorizedError where the identity is not accepted. */
  whoAmI(options?: RequestOptions): Promise<Identity>
  /** Whether we have a right in a namespace; null: the server does not say. */
  mayI(namespace: string, right: Right, options?: RequestOptions): Promise<boolean | null>
  /** What the API server would make of a pod, with all that admission does to it; it is not created. Throws as createPod. */
  tryPod(namespace: string, manifest: PodManifest, options?: RequestOptions): Promise<Pod>
}

const handshakeMs = 5_000

/** The probe of a connection. */
export function clusterProbe(connection: Connection): ClusterProbe {
  const post = <Answer>(path: string, body: object, options: RequestOptions = {}) =>
    callApi<Answer>(connection, { method: 'POST', path, body, ...options })

  return {
    async contact(options) {
      let version = ''
      try {
        const call = { method: 'GET', path: '/version', ...options } as const
        version = (await callApi<{ gitVersion?: string }>(connection, call)).gitVersion ?? ''
      } catch (error) {
        // Who refuses us was met all the same.
        const met = [UnauthorizedError, ForbiddenError, InvalidObjectError, NotFoundError].some(
          (kind) => error instanceof kind,
        )
        if (!met) throw error
      }
      return { version, certificate: await certificateOf(connection) }
    },

    async whoAmI(options) {
      const expires = tokenExpiry((await connection.authorization()) ?? '')
      try {
        const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
        const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
        const { status } = await post<{ status?: { userInfo?: { username?: string } } }>(path, review, options)
        return { name: status?.userInfo?.username ?? '', expires }
      } catch (error) {
        // Servers before 1.28 have no such thing; then the next question tells whether we are let in.
        if (!(error instanceof NotFoundError || error instanceof ForbiddenError)) throw error
        await this.mayI('default', { verb: 'get', resource: 'pods' }, options)
        return { name: '', expires }
      }
    },

    async mayI(namespace, { verb, resource: full }, options) {
      const [resource, subresource] = full.split('/')
      const resourceAttributes = { namespace, verb, resource, ...(subresource ? { subresource } : {}) }
      const review = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes },
      }
      try {
        const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
        const { status } = await post<{ status?: { allowed?: boolean } }>(path, review, options)
        return status?.allowed ?? null
      } catch (error) {
        if (error instanceof NotFoundError || error instanceof ForbiddenError) return null
        throw error
      }
    },

    tryPod: (namespace, manifest, options) =>
      post<Pod>(`/api/v1/namespaces/${encodeURIComponent(namespace)}/pods?dryRun=All`, manifest, options),
  }
}

/** The `exp` of a JSON web token in an Authorization header; null where there is none. */
export function tokenExpiry(authorization: string): Date | null {
  try {
    const claims: unknown = JSON.parse(Buffer.from(authorization.split('.')[1] ?? '', 'base64url').toString())
    if (typeof claims === 'object' && claims !== null && 'exp' in claims && typeof claims.exp === 'number')
      return new Date(claims.exp * 1000)
  } catch {
    // An opaque token.
  }
  return null
}

/** Shakes hands once more, to see what a kept-alive connection no longer shows. */
function certificateOf({ url, agent }: Connection): Promise<EndpointCertificate | null> {
  if (url.protocol !== 'https:') return Promise.resolve(null)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const { options } = agent as HttpsAgent
  return new Promise((resolve) => {
    const socket = connect({
      ...(isIP(host) ? {} : { servername: host }),
      ...{ secureContext: options.secureContext, rejectUnauthorized: false },
      ...(options.servername ? { servername: options.servername } : {}),
      ...{ host, port: Number(url.port || 443) },
    })
    const done = (found: EndpointCertificate | null) => {
      socket.destroy()
      resolve(found)
    }
    socket.setTimeout(handshakeMs, () => done(null))
    socket.once('error', () => done(null))
    socket.once('secureConnect', () => {
      const { valid_to: expires, issuer } = socket.getPeerCertificate()
      // Declared as an error, and a code in fact.
      const code: unknown = socket.authorizationError
      const text = code instanceof Error && 'code' in code ? String(code.code) : String(code ?? '')
      done({
        verified: options.rejectUnauthorized !== false,
        problem: socket.authorized ? null : tlsReason(text),
        issuer: String(issuer?.CN ?? issuer?.O ?? ''),
        expires: new Date(expires),
      })
    })
  })
}
