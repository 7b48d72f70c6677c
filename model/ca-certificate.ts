/** What was given as a certificate authority is none; the message says what is wrong and what to do. */
export class InvalidCertificateError extends Error {
  override name = 'InvalidCertificateError'
}

const field = 'The certificate authority (ssl_ca_cert)'

/**
 * PEM certificates with sound line breaks. Certificates pasted through forms, shells and JSON come with `\n` as two characters, with spaces
 * in place of line breaks, with Windows line ends, or base64-encoded once more as in a kubeconfig; all of that is undone. `read` throws for
 * what is no certificate. Throws InvalidCertificateError.
 */
export function repairCertificates(text: string, read: (certificate: string) => unknown): string {
  const pem = plainPem(text)
  const blocks = [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g)]
  const begun = pem.match(/-----BEGIN /g)?.length ?? 0
  if (begun > blocks.length) {
    throw new InvalidCertificateError(
      `${field} is cut off: an END line is missing. Paste the whole text, down to -----END CERTIFICATE-----.`,
    )
  }
  if (blocks.length === 0) {
    throw new InvalidCertificateError(
      `${field} is not in PEM form: it has no BEGIN CERTIFICATE line. Paste the text that begins with -----BEGIN CERTIFICATE-----, such as the cluster's kube-root-ca.crt.`,
    )
  }
  return blocks
    .map(([, label = '', body = ''], index) =>
      soundBlock(label, body, blocks.length > 1 ? ` number ${index + 1}` : '', read),
    )
    .join('')
}

/** Undoes what was done to the text as a whole: escapes, and one more base64. */
function plainPem(text: string): string {
  const pem = text.replaceAll('\\r', '').replaceAll('\\n', '\n').trim()
  if (pem.includes('-----BEGIN') || !/^[A-Za-z0-9+/=\s]+$/.test(pem)) return pem
  const decoded = Buffer.from(pem, 'base64').toString('latin1')
  return decoded.includes('-----BEGIN') ? decoded : pem
}

function soundBlock(label: string, body: string, which: string, read: (certificate: string) => unknown): string {
  if (label !== 'CERTIFICATE' && label !== 'TRUSTED CERTIFICATE') {
    throw new InvalidCertificateError(
      `${field} holds a ${label} instead of a certificate. Paste the certificate alone, and treat that key as known to others if it is secret.`,
    )
  }
  const base64 = body.replace(/\s+/g, '')
  const certificate = `-----BEGIN ${label}-----\n${base64.match(/.{1,64}/g)?.join('\n') ?? ''}\n-----END ${label}-----\n`
  try {
    read(certificate)
  } catch {
    throw new InvalidCertificateError(
      `${field} cannot be read: certificate${which} is damaged. Copy it anew from where it came from.`,
    )
  }
  return certificate
}
