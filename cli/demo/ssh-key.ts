/** The key with which Mayfly logs in to the demo's hosts. */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { writeWhole } from '../../dev/state.ts'

/** A private key in PEM and its public half as a line of authorized_keys. */
export interface SshKey {
  privateKey: string
  authorizedKey: string
}

/** The key in `file`, made there (mode 0600) if absent. RSA, because OpenSSH reads the PEM that Node writes without a converter. */
export function demoKey(file: string): SshKey {
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 3072 })
    writeWhole(file, privateKey.export({ type: 'pkcs1', format: 'pem' }).toString())
  }
  const privateKey = readFileSync(file, 'utf8')
  return { privateKey, authorizedKey: authorizedKey(privateKey) }
}

/** RFC 4253 §6.6: the algorithm's name, then exponent and modulus as numbers. */
function authorizedKey(privateKey: string): string {
  const { e = '', n = '' } = createPublicKey(createPrivateKey(privateKey)).export({ format: 'jwk' })
  const blob = [Buffer.from('ssh-rsa'), positive(e), positive(n)].flatMap((part) => [lengthOf(part), part])
  return `ssh-rsa ${Buffer.concat(blob).toString('base64')} mayfly-demo`
}

/** RFC 4251 §5: a number whose first bit is set would read as negative without a zero before it. */
function positive(base64url: string): Buffer {
  const bytes = Buffer.from(base64url, 'base64url')
  return (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes
}

function lengthOf(part: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(part.length)
  return length
}
