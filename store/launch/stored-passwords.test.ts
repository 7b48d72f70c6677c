import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { credentialContext, loadKeyring, seal } from '../secrets.ts'
import { storedPasswordsAsked } from './stored-passwords.ts'

const keyring = await loadKeyring({ MAYFLY_SECRET_KEY: randomBytes(32).toString('base64') })

function privateKey(passphrase?: string): string {
  const { privateKey } = generateKeyPairSync('ed25519')
  const encryption = passphrase ? { cipher: 'aes-256-cbc', passphrase } : {}
  return String(privateKey.export({ type: 'pkcs8', format: 'pem', ...encryption }))
}

/** Passwords asked for by machine credential 7 with this key, sealed as the store has it. */
function asked(key: string, inputs: Record<string, unknown> = {}, sealedFor = 7): string[] {
  const sealed = seal(keyring, key, credentialContext(sealedFor, 'ssh_key_data'))
  return storedPasswordsAsked(keyring, { id: 7, kind: 'ssh', inputs: { ssh_key_data: sealed, ...inputs } })
}

test('a sealed key that needs a passphrase asks for it, unless the credential holds one', () => {
  expect(asked(privateKey('secret'))).toEqual(['ssh_key_unlock'])
  expect(asked(privateKey('secret'), { ssh_key_unlock: 'ASK', password: 'ASK' })).toEqual([
    'ssh_password',
    'ssh_key_unlock',
  ])
  expect(asked(privateKey('secret'), { ssh_key_unlock: 'sealed' })).toEqual([])
  expect(asked(privateKey(), { ssh_key_unlock: 'ASK' })).toEqual([])
})

test('a key that cannot be opened hides no credential', () => {
  expect(asked(privateKey('secret'), {}, 8)).toEqual([])
})
