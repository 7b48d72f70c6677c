import { X509Certificate } from 'node:crypto'
import { ConfigurationError } from './errors.ts'

/** Which API server to talk to, and as whom. */
export type ClusterTarget =
  | { kind: 'bearer'; host: string; token: string; caCert?: string; verifyTls: boolean }
  | { kind: 'kubeconfig'; path?: string; context?: string }
  | { kind: 'in-cluster' }

/** A credential lacks what is needed to connect. */
export class CredentialIncompleteError extends ConfigurationError {}

/** The certificate authority of a credential or kubeconfig is no PEM certificate. */
export class InvalidCaError extends ConfigurationError {}

/**
 * Target of a decrypted `kubernetes_bearer_token` credential. `verify_ssl` defaults to true; without `ssl_ca_cert` the
 * system's roots decide. Throws CredentialIncompleteError and InvalidCaError.
 */
export function targetFromCredential(inputs: Record<string, unknown>): ClusterTarget {
  const host = textOf(inputs.host)
  const token = textOf(inputs.bearer_token)
  const missing = [...(host ? [] : ['host']), ...(token ? [] : ['bearer_token'])]
  if (missing.length > 0) {
    throw new CredentialIncompleteError(`The Kubernetes credential lacks ${missing.join(' and ')}.`)
  }
  const verifyTls = inputs.verify_ssl === undefined || inputs.verify_ssl === null || inputs.verify_ssl === true
  const caText = textOf(inputs.ssl_ca_cert)
  if (!verifyTls || !caText) return { kind: 'bearer', host, token, verifyTls }
  return { kind: 'bearer', host, token, verifyTls, caCert: repairCa(caText) }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : ''
}

/**
 * PEM certificates with sound line breaks. Certificates pasted through forms, shells and JSON come with `\n` as two characters, with spaces
 * in place of line breaks, with Windows line ends, or base64-encoded once more as in a kubeconfig; all of that is undone. Throws
 * InvalidCaError that says what is wrong.
 */
export function repairCa(text: string): string {
  let pem = text.replaceAll('\\r', '').replaceAll('\\n', '\n').trim()
  if (!pem.includes('-----BEGIN') && /^[A-Za-z0-9+/=\s]+$/.test(pem)) {
    const decoded = Buffer.from(pem, 'base64').toString('latin1')
    if (decoded.includes('-----BEGIN')) pem = decoded
  }
  const blocks = [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g)]
  if (blocks.length === 0) {
    throw new InvalidCaError(
      pem.includes('-----BEGIN')
        ? 'The certificate authority (ssl_ca_cert) is cut off: an END line is missing.'
        : 'The certificate authority (ssl_ca_cert) is not in PEM form: it has no BEGIN CERTIFICATE line.',
    )
  }
  const sound = blocks.map(([, label, body], index) => {
    const which = blocks.length > 1 ? ` number ${index + 1}` : ''
    if (label !== 'CERTIFICATE' && label !== 'TRUSTED CERTIFICATE') {
      throw new InvalidCaError(`The certificate authority (ssl_ca_cert) holds a ${label} instead of a certificate.`)
    }
    const base64 = (body ?? '').replace(/\s+/g, '')
    const certificate = `-----BEGIN ${label}-----\n${base64.match(/.{1,64}/g)?.join('\n') ?? ''}\n-----END ${label}-----\n`
    try {
      new X509Certificate(certificate)
    } catch {
      throw new InvalidCaError(
        `The certificate authority (ssl_ca_cert) cannot be read: certificate${which} is damaged.`,
      )
    }
    return certificate
  })
  return sound.join('')
}
