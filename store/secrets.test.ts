import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { credentialContext, isSealed, loadKeyring, open, SecretKeyError, seal, UnsealError } from './secrets.ts'

const newKey = () => randomBytes(32).toString('base64')
const context = credentialContext(7, 'password')

describe('sealing', () => {
  test('opens what it sealed, and never seals alike', async () => {
    const keyring = await loadKeyring({ MAYFLY_SECRET_KEY: newKey() })
    const [one, other] = [seal(keyring, 'pässword', context), seal(keyring, 'pässword', context)]
    expect(isSealed(one)).toBe(true)
    expect(one).not.toContain('pässword')
    expect(one).not.toBe(other)
    expect(open(keyring, one, context)).toBe('pässword')
    expect(open(keyring, seal(keyring, '', context), context)).toBe('')
  })

  test('does not open in another place, damaged, or with another key', async () => {
    const keyring = await loadKeyring({ MAYFLY_SECRET_KEY: newKey() })
    const sealed = seal(keyring, 'secret', context)
    expect(() => open(keyring, sealed, credentialContext(8, 'password'))).toThrow(UnsealError)
    const flipped = sealed.slice(0, -2) + (sealed.endsWith('AA') ? 'BB' : 'AA')
    expect(() => open(keyring, flipped, context)).toThrow(UnsealError)
    expect(() => open(keyring, sealed.slice(0, 30), context)).toThrow(UnsealError)
    const stranger = await loadKeyring({ MAYFLY_SECRET_KEY: newKey() })
    expect(() => open(stranger, sealed, context)).toThrow(/not in the keyring/)
  })

  test('a rotated key still opens what the old one sealed, and seals with the new one', async () => {
    const [oldKey, key] = [newKey(), newKey()]
    const before = await loadKeyring({ MAYFLY_SECRET_KEY: oldKey })
    const after = await loadKeyring({ MAYFLY_SECRET_KEY: `${key}, ${oldKey}` })
    const sealed = seal(before, 'secret', context)
    expect(open(after, sealed, context)).toBe('secret')
    const anew = seal(after, 'secret', context)
    expect(() => open(before, anew, context)).toThrow(UnsealError)
  })
})

describe('keys', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mayfly-keys-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  test('the key file is made once, for its owner only, even by two at once', async () => {
    const env = { MAYFLY_SECRET_KEY_FILE: join(folder, 'key') }
    const [one, other] = await Promise.all([loadKeyring(env), loadKeyring(env)])
    expect(open(other, seal(one, 'secret', context), context)).toBe('secret')
    expect((await stat(env.MAYFLY_SECRET_KEY_FILE)).mode & 0o777).toBe(0o600)
    expect(open(await loadKeyring(env), seal(one, 'secret', context), context)).toBe('secret')
  })

  test.each([
    ['nothing set', {}],
    ['a short key', { MAYFLY_SECRET_KEY: randomBytes(16).toString('base64') }],
    ['an unreadable file', { MAYFLY_SECRET_KEY_FILE: '/dev/null/key' }],
  ])('%s is refused without showing a key', async (_, env: Record<string, string>) => {
    const refusal = await loadKeyring(env).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(SecretKeyError)
    expect(String(refusal)).not.toContain(env.MAYFLY_SECRET_KEY ?? 'no key')
  })
})
