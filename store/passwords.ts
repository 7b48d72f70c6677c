import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import { type Algorithm, hash, verify } from '@node-rs/argon2'

/** OWASP's minimum for argon2id: about 15 ms and 19 MiB a check. */
const cost = { algorithm: 2 as Algorithm.Argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Hashes a password with argon2id, in PHC form. */
export async function hashPassword(password: string): Promise<string> {
  return await hash(password, cost)
}

let hashOfNobody: Promise<string> | undefined

/** Checks a password. Pass `null` for an unknown user or one without password: it takes as long as a real check and is false. */
export async function verifyPassword(passwordHash: string | null, password: string): Promise<boolean> {
  if (passwordHash === null) {
    hashOfNobody ??= hashPassword(randomBytes(16).toString('hex'))
    await verify(await hashOfNobody, password)
    return false
  }
  return await verify(passwordHash, password)
}

/**
 * Remembers successful checks for a while, so that a client with Basic authentication pays for argon2 once, not on every call. Keeps only
 * HMACs under a key of this process; a changed password has another hash and is checked anew.
 */
export function createPasswordVerifier(options: { ttlMs?: number; entries?: number; now?: () => number } = {}) {
  const { ttlMs = 60_000, entries = 1_000, now = Date.now } = options
  const key = createSecretKey(randomBytes(32))
  const validUntil = new Map<string, number>()
  return async (passwordHash: string | null, password: string): Promise<boolean> => {
    if (passwordHash === null) return await verifyPassword(null, password)
    const entry = createHmac('sha256', key).update(`${passwordHash}\0${password}`).digest('base64')
    if ((validUntil.get(entry) ?? 0) > now()) return true
    validUntil.delete(entry)
    if (!(await verifyPassword(passwordHash, password))) return false
    const [oldest] = validUntil.keys()
    if (validUntil.size >= entries && oldest !== undefined) validUntil.delete(oldest)
    validUntil.set(entry, now() + ttlMs)
    return true
  }
}
