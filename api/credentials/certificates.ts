import { X509Certificate } from 'node:crypto'
import { InvalidCertificateError, repairCertificates } from '../../model/ca-certificate.ts'
import { encrypted } from '../../model/encrypted.ts'
import { ValidationError } from '../errors.ts'

/**
 * Inputs of a cluster's credential whose certificate authority is fit for use: what pasting did to its line breaks is undone, and what is no certificate is
 * refused with what to do about it. One that is kept as it is stored was looked at when it was written.
 */
export function withSoundCertificates(inputs: Record<string, unknown>): Record<string, unknown> {
  const { ssl_ca_cert: given } = inputs
  if (typeof given !== 'string' || given.trim() === '' || given === encrypted) return inputs
  try {
    return { ...inputs, ssl_ca_cert: repairCertificates(given, (certificate) => new X509Certificate(certificate)) }
  } catch (error) {
    if (!(error instanceof InvalidCertificateError)) throw error
    throw new ValidationError({ inputs: { ssl_ca_cert: [error.message] } })
  }
}
