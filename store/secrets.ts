import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'

/** Keys by id; the first one seals, all open. A key's id follows from the key, so rotation needs no bookkeeping. */
export interface Keyring {
  readonly sealingKeyId: string
  readonly keys: ReadonlyMap<string, Buffer>
}

/** No usable key was configured. The message says what to set; it never holds a key. */
export class SecretKeyError extends Error {
  override readonly name = 'SecretKeyError'
}

/** A sealed value cannot be opened: its key is not in the keyring, it was damaged, or it was sealed for another place. */
export class UnsealError extends Error {
  override readonly name = 'UnsealError'
}

const prefix = '$mayfly$v1$'
const keyBytes = 32
const ivBytes = 12
const tagBytes = 16

/**
 * Reads the keys from MAYFLY_SECRET_KEY, else from the file MAYFLY_SECRET_KEY_FILE, which is made (mode 0600, one random key) if absent.
 * Either holds base64 keys of 32 bytes, separated by commas or white space. To rotate put the new key first and keep the old ones.
 */
export async function loadKeyring(env: Record<string, string | undefined>): Promise<Keyring> {
  if (env.MAYFLY_SECRET_KEY) return parseKeys(env.MAYFLY_SECRET_KEY, 'MAYFLY_SECRET_KEY')
  const file = env.MAYFLY_SECRET_KEY_FILE
  if (!file) throw new SecretKeyError('set MAYFLY_SECRET_KEY (base64 of 32 bytes) or MAYFLY_SECRET_KEY_FILE')
  return parseKeys(await readOrMakeKeyFile(file), file)
}

function parseKeys(text: string, source: string): Keyring {
  const keys = new Map<string, Buffer>()
  for (const word of text.split(/[\s,]+/).filter(Boolean)) {
    const key = Buffer.from(word, 'base64')
    if (key.length !== keyBytes) throw new SecretKeyError(`${source}: every key must be base64 of ${keyBytes} bytes`)
    keys.set(createHash('sha256').update(key).digest('hex').slice(0, 8), key)
  }
  const [sealingKeyId] = keys.keys()
  if (sealingKeyId === undefined) throw new SecretKeyError(`${source} holds no key`)
  return { sealingKeyId, keys }
}

async function readOrMakeKeyFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw new SecretKeyError(`cannot read the key file ${file}`, { cause: error })
  }
  // Linked into place whole: of two processes that start at once one makes the key and both read it.
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    await writeFile(draft, `${randomBytes(keyBytes).toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true })
    await link(draft, file)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw new SecretKeyError(`cannot make the key file ${file}`, { cause: error })
  } finally {
    await rm(draft, { force: true })
  }
  return await readFile(file, 'utf8')
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

/**
 * Seals a text with AES-256-GCM: `$mayfly$v1$<key id>$<iv>$<tag and cipher text>`, the last two in base64url. `context` names the place it
 * is kept in (see credentialContext); it is authenticated, so a sealed value copied elsewhere does not open there.
 */
export function seal(keyring: Keyring, plain: string, context: string): string {
  const iv = randomBytes(ivBytes)
  const cipher = createCipheriv('aes-256-gcm', keyOf(keyring, keyring.sealingKeyId), iv)
  cipher.setAAD(authenticated(keyring.sealingKeyId, context))
  const text = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
  const sealed = Buffer.concat([cipher.getAuthTag(), text])
  return `${prefix}${keyring.sealingKeyId}$${iv.toString('base64url')}$${sealed.toString('base64url')}`
}

/** Opens what `seal` sealed for the same context, with whichever key of the ring it was. Throws UnsealError. */
export function open(keyring: Keyring, sealed: string, context: string): string {
  if (!isSealed(sealed)) throw new UnsealError('not a sealed value')
  const [keyId = '', ivText = '', text = ''] = sealed.slice(prefix.length).split('$')
  const iv = Buffer.from(ivText, 'base64url')
  const bytes = Buffer.from(text, 'base64url')
  if (iv.length !== ivBytes || bytes.length < tagBytes) throw new UnsealError('the sealed value is damaged')
  const decipher = createDecipheriv('aes-256-gcm', keyOf(keyring, keyId), iv)
  decipher.setAAD(authenticated(keyId, context))
  decipher.setAuthTag(bytes.subarray(0, tagBytes))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(tagBytes)), decipher.final()]).toString('utf8')
  } catch {
    throw new UnsealError('the sealed value was damaged or belongs to another place')
  }
}

/** Whether a stored value is one that `seal` made. */
export function isSealed(text: unknown): text is string {
  return typeof text === 'string' && text.startsWith(prefix)
}

/** Why nobody may write a value that passes for a sealed one: where it is opened it would not open. */
export const reservedBeginning = `A value may not begin with ${prefix}.`

/** Context of one secret field of a credential. */
export function credentialContext(credentialId: number, field: string): string {
  return `credential:${credentialId}:${field}`
}

/** Context of the launch passwords of a job (unified_jobs.launch_secrets). */
export function launchContext(jobId: number): string {
  return `launch:${jobId}`
}

/** Context of an answer to a password question of a template that a node or schedule keeps; the same for all, so that rows can be copied. */
export function answerContext(templateId: number, variable: string): string {
  return `answer:${templateId}:${variable}`
}

/** Context of one secret field of a notification template's configuration. */
export function notificationContext(templateId: number, field: string): string {
  return `notification:${templateId}:${field}`
}

/** Context of the default of a password question in a template's survey. */
export function surveyContext(templateId: number, variable: string): string {
  return `survey:${templateId}:${variable}`
}

/** Context of the key that a template shares with a web hook's sender. */
export function webhookKeyContext(templateId: number): string {
  return `webhook-key:${templateId}`
}

function authenticated(keyId: string, context: string): Buffer {
  return Buffer.from(`${prefix}${keyId}$${context}`)
}

function keyOf(keyring: Keyring, keyId: string): Buffer {
  const key = keyring.keys.get(keyId)
  if (!key) throw new UnsealError(`sealed with key ${keyId}, which is not in the keyring`)
  return key
}
