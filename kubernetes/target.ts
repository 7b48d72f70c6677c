import { X509Certificate } from 'node:crypto'
import { InvalidCertificateError, repairCertificates } from '../model/ca-certificate.ts'
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

/** PEM certificates with sound line breaks, whatever was done to them on the way here. Throws InvalidCaError. */
export function repairCa(text: string): string {
  try {
    return repairCertificates(text, (certificate) => new X509Certificate(certificate))
  } catch (error) {
    if (error instanceof InvalidCertificateError) throw new InvalidCaError(error.message)
    throw error
  }
}
