import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { demoKey } from './ssh-key.ts'

const folder = mkdtempSync(join(tmpdir(), 'mayfly-key-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('the key is made once, for its owner only', () => {
  const file = join(folder, 'key')
  const made = demoKey(file)
  expect(demoKey(file)).toEqual(made)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(made.privateKey).toMatch(/^-----BEGIN RSA PRIVATE KEY-----/)
})

test('the line of authorized_keys holds exponent and modulus of the private key', () => {
  const { privateKey, authorizedKey } = demoKey(join(folder, 'other'))
  const [type, blob = ''] = authorizedKey.split(' ')
  const parts: Buffer[] = []
  for (let rest = Buffer.from(blob, 'base64'); rest.length > 0; ) {
    const length = rest.readUInt32BE()
    parts.push(rest.subarray(4, 4 + length))
    rest = rest.subarray(4 + length)
  }
  const { e = '', n = '' } = createPrivateKey(privateKey).export({ format: 'jwk' })
  expect(parts[0]?.toString()).toBe(type)
  expect(parts[1]).toEqual(Buffer.from(e, 'base64url'))
  // The modulus has its first bit set, so a zero goes before it.
  expect(parts[2]).toEqual(Buffer.concat([Buffer.of(0), Buffer.from(n, 'base64url')]))
  expect(parts).toHaveLength(3)
})
