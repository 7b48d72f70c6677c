import { type KubernetesError, TlsError, type TlsReason, UnreachableError } from './errors.ts'

/** What OpenSSL's and Node's codes mean to somebody who filled in a credential. */
const untrusted =
  "its certificate does not come from a trusted certificate authority (the one given, or the system's where none is given)"
const noTls = 'the endpoint does not speak TLS'
const certificateProblems: Record<string, string> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: `its certificate is self-signed: ${untrusted}`,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  CERT_UNTRUSTED: untrusted,
  CERT_REJECTED: untrusted,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
  EPROTO: noTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
}

const untrustedCodes = /SELF_SIGNED|UNABLE_TO|CERT_SIGNATURE|CERT_UNTRUSTED|CERT_REJECTED/

/** What a code of OpenSSL or Node says of a certificate; `other` for what is none of them. */
export function tlsReason(code: string): TlsReason {
  if (code === 'CERT_HAS_EXPIRED') return 'expired'
  if (code === 'CERT_NOT_YET_VALID') return 'not-yet-valid'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'wrong-name'
  if (untrustedCodes.test(code)) return 'unknown-authority'
  return certificateProblems[code] === noTls ? 'no-tls' : 'other'
}

/** A connection was given up by our own clock. */
export class TimedOut extends Error {
  override name = 'TimedOut'
  readonly phase: 'connect' | 'answer'
  readonly afterMs: number

  constructor(phase: 'connect' | 'answer', afterMs: number) {
    super(`no ${phase === 'connect' ? 'connection' : 'answer'} within ${afterMs} ms`)
    this.phase = phase
    this.afterMs = afterMs
  }
}

/** The typed error for a connection that failed. Node's own text is kept as detail; it holds addresses but no headers. */
export function errorFromNetwork(host: string, failure: Error): KubernetesError {
  const code = 'code' in failure && typeof failure.code === 'string' ? failure.code : ''
  // Node adds advice for whoever started it, which is not who reads this.
  const words = failure.message.split('; if the root CA')[0]?.trim()
  const detail = `${host}: ${code ? `${code} ` : ''}${words}`
  const problem = certificateProblems[code]
  if (problem || /^(ERR_SSL|ERR_TLS|ERR_OSSL|CERT_|UNABLE_TO_)/.test(code) || /SSL routines/.test(failure.message)) {
    const message = `No TLS connection to the Kubernetes API at ${host}: ${problem ?? failure.message}.`
    return new TlsError(message, detail, tlsReason(code))
  }
  if (failure instanceof TimedOut) {
    return new UnreachableError(
      'timeout',
      `The Kubernetes API at ${host} did not answer within ${failure.afterMs / 1000} s.`,
      detail,
    )
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new UnreachableError('dns', `The host name of the Kubernetes API cannot be resolved: ${host}.`, detail)
  }
  if (code === 'ECONNREFUSED') {
    return new UnreachableError('refused', `Nobody listens at the Kubernetes API's address ${host}.`, detail)
  }
  if (code === 'ETIMEDOUT') {
    return new UnreachableError('timeout', `The Kubernetes API at ${host} did not answer.`, detail)
  }
  return new UnreachableError(
    'connection',
    `The connection to the Kubernetes API at ${host} failed: ${failure.message}.`,
    detail,
  )
}
