import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCluster } from './cluster.ts'
import { repairCa, targetFromCredential } from './target.ts'

let folder: string
let pem: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-ca-'))
  const file = join(folder, 'ca.pem')
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      join(folder, 'key.pem'),
      '-out',
      file,
      '-subj',
      '/CN=ca',
      '-days',
      '2',
    ],
    { stdio: 'ignore' },
  )
  pem = readFileSync(file, 'utf8')
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('a certificate authority', () => {
  test.each<[string, (pem: string) => string]>([
    ['as it is', (text) => text],
    ['without last newline', (text) => text.trim()],
    ['with Windows line ends', (text) => text.replaceAll('\n', '\r\n')],
    ['with \\n as two characters', (text) => text.replaceAll('\n', '\\n')],
    ['with \\r\\n as four characters', (text) => text.replaceAll('\n', '\\r\\n')],
    ['with spaces in place of line breaks', (text) => text.replaceAll('\n', ' ')],
    ['on one line', (text) => text.replaceAll('\n', '')],
    ['indented', (text) => text.replaceAll('\n', '\n    ')],
    ['in base64, as in a kubeconfig', (text) => Buffer.from(text).toString('base64')],
    ['in wrapped base64', (text) => Buffer.from(text).toString('base64').replace(/.{76}/g, '$&\n')],
    ['with words around it', (text) => `subject=CN = ca\n${text}\nthe end`],
  ])('%s is repaired', (_name, damage) => expect(repairCa(damage(pem))).toBe(pem))

  test('a chain is kept', () => expect(repairCa(pem + pem.replaceAll('\n', ' '))).toBe(pem + pem))

  test.each<[string, (pem: string) => string, RegExp]>([
    ['cut off', (text) => text.slice(0, 200), /cut off/],
    ['not PEM', () => 'not a certificate!', /not in PEM form/],
    ['a key', () => readFileSync(join(folder, 'key.pem'), 'utf8'), /PRIVATE KEY instead of a certificate/],
    ['damaged', (text) => text.replace(/[A-Za-z]{20}/, 'AAAAAAAAAAAAAAAAAAAA'), /damaged/],
    ['a damaged second one', (text) => text + text.replace(/\n[A-Za-z0-9+/]{64}/, ''), /number 2 is damaged/],
  ])('%s is named', (_name, damage, message) => {
    expect(() => repairCa(damage(pem))).toThrow(message)
    expect(() => repairCa(damage(pem))).toThrow(expect.objectContaining({ name: 'InvalidCaError' }))
  })
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
