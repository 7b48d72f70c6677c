import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { passwordsAsked } from './launch-passwords.ts'
import { isEncryptedKey } from './ssh-key.ts'

function newKey(passphrase: string, ...options: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-key-'))
  try {
    execFileSync('ssh-keygen', ['-q', '-N', passphrase, '-f', join(folder, 'key'), ...options])
    return readFileSync(join(folder, 'key'), 'utf8')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('keys', () => {
  test.each([
    [['-t', 'ed25519']],
    [['-t', 'rsa', '-b', '2048']],
    [['-t', 'rsa', '-b', '2048', '-m', 'PEM']],
    [['-t', 'rsa', '-b', '2048', '-m', 'PKCS8']],
  ])('%j with and without passphrase', (options) => {
    expect(isEncryptedKey(newKey('pass phrase', ...options))).toBe(true)
    expect(isEncryptedKey(newKey('', ...options))).toBe(false)
  })

  test('what is no key', () =>
    expect(isEncryptedKey('-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END')).toBe(false))
})

describe('passwords asked for at launch', () => {
  const locked = newKey('p', '-t', 'ed25519')
  const open = newKey('', '-t', 'ed25519')

  test.each([
    ['ssh', { password: 'ASK', become_password: 'ASK' }, ['ssh_password', 'become_password']],
    ['ssh', { password: 'x', become_password: '' }, []],
    ['ssh', { ssh_key_data: locked, ssh_key_unlock: 'ASK' }, ['ssh_key_unlock']],
    ['ssh', { ssh_key_data: locked }, ['ssh_key_unlock']],
    ['ssh', { ssh_key_data: locked, ssh_key_unlock: 'p' }, []],
    ['ssh', { ssh_key_data: open, ssh_key_unlock: 'ASK' }, []],
    ['ssh', { ssh_key_unlock: 'ASK' }, []],
    ['vault', { vault_password: 'ASK' }, ['vault_password']],
    ['vault', { vault_password: 'ASK', vault_id: 'a.b' }, ['vault_password.a.b']],
    ['vault', { vault_password: 'x', vault_id: 'a.b' }, []],
    ['cloud', { password: 'ASK' }, []],
  ])('%s %#', (kind, inputs, names) => expect(passwordsAsked(kind, inputs)).toEqual(names))
})
