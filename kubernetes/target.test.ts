import { rootCertificates } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { openCluster } from './cluster.ts'
import { repairCa, targetFromCredential } from './target.ts'

const pem = repairCa(rootCertificates[0] ?? '')

test('a certificate authority that is none is a mistake of configuration', () => {
  expect(() => repairCa('hello')).toThrow(expect.objectContaining({ name: 'InvalidCaError' }))
  expect(() => repairCa('hello')).toThrow('not in PEM form')
})

describe('a credential', () => {
  const inputs = { host: 'https://k8s:6443', bearer_token: 'secret-token' }

  test.each([
    ['verifies by default', {}, { verifyTls: true }],
    ['verifies with its authority', { verify_ssl: true, ssl_ca_cert: 'PEM' }, { verifyTls: true, caCert: 'PEM' }],
    ['does not verify', { verify_ssl: false }, { verifyTls: false }],
    [
      'without verification ignores the authority, sound or not',
      { verify_ssl: false, ssl_ca_cert: 'junk' },
      { verifyTls: false },
    ],
  ])('%s', (_name, more, expected) => {
    const given = Object.fromEntries(
      Object.entries({ ...inputs, ...more }).map(([key, value]) => [key, value === 'PEM' ? pem : value]),
    )
    const wanted = 'caCert' in expected ? { ...expected, caCert: pem } : expected
    expect(targetFromCredential(given)).toEqual({ kind: 'bearer', host: inputs.host, token: 'secret-token', ...wanted })
  })

  test('that is incomplete names what is missing', () => {
    expect(() => targetFromCredential({ host: ' ' })).toThrow('lacks host and bearer_token')
    expect(() => targetFromCredential({ ...inputs, bearer_token: '' })).toThrow('lacks bearer_token')
  })
})

describe('keys of a cluster', () => {
  const open = (host: string, token: string) => openCluster({ kind: 'bearer', host, token, verifyTls: false })
  const jwt = (sub: string, more: string) => `h.${Buffer.from(JSON.stringify({ sub, more })).toString('base64url')}.s`

  test('the durable one stays when a service account’s token rotates, the connection’s changes', () => {
    const before = open('https://k8s', jwt('system:serviceaccount:a:b', '1'))
    const after = open('https://k8s/', jwt('system:serviceaccount:a:b', '2'))
    expect(after.key).toBe(before.key)
    expect(after.connectionKey).not.toBe(before.connectionKey)
  })

  test('other endpoints and other identities have others', () => {
    const keys = [
      open('k8s', jwt('a', '')),
      open('k8s', jwt('b', '')),
      open('other', jwt('a', '')),
      open('k8s/k8s/clusters/c-1', jwt('a', '')),
      open('k8s', 'opaque'),
    ]
    expect(new Set(keys.map(({ key }) => key)).size).toBe(keys.length)
  })

  test('the same target has the same', () => {
    expect(open('k8s', 'opaque').connectionKey).toBe(open('k8s', 'opaque').connectionKey)
    expect(open('k8s:443', 'opaque').key).toBe(open('https://k8s', 'opaque').key)
  })

  test.each(['ftp://x', 'https://', 'http://a b'])('%j is no address', (host) => {
    expect(() => open(host, 't')).toThrow('is not a URL')
  })
})
