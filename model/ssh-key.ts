/** True for a private key that needs a passphrase, in PEM or OpenSSH form; false for what is no key at all. */
export function isEncryptedKey(key: string): boolean {
  if (/^-----BEGIN ENCRYPTED PRIVATE KEY-----/m.test(key) || /^Proc-Type: 4,ENCRYPTED/m.test(key)) return true
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(key)?.[1]
  if (!body) return false
  // "openssh-key-v1\0", then the cipher's name with its length before it.
  const bytes = Buffer.from(body.replace(/\s/g, ''), 'base64')
  if (bytes.length < 19 || bytes.toString('latin1', 0, 14) !== 'openssh-key-v1') return false
  const cipher = bytes.toString('latin1', 19, 19 + bytes.readUInt32BE(15))
  return cipher !== 'none'
}
