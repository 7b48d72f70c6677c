import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readKubeconfig } from './kubeconfig.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-kubeconfig-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

function write(name: string, content: object | string): string {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

const config = (user: object, cluster: object = {}) => ({
  'current-context': 'one',
  contexts: [
    { name: 'one', context: { cluster: 'c', user: 'u' } },
    { name: 'two', context: { cluster: 'd', user: 'u' } },
  ],
  clusters: [
    { name: 'c', cluster: { server: 'https://one:6443', ...cluster } },
    { name: 'd', cluster: { server: 'https://two:6443', 'insecure-skip-tls-verify': true } },
  ],
  users: [{ name: 'u', user }],
})

describe('a kubeconfig', () => {
  test('gives the current context', async () => {
    const endpoint = readKubeconfig({ path: write('a', config({ token: 'tok' })) })
    expect(endpoint.url.href).toBe('https://one:6443/')
    expect(endpoint.tls).toEqual({ rejectUnauthorized: true })
    expect(await endpoint.authorization()).toBe('Bearer tok')
  })

  test('gives a named context', () => {
    const endpoint = readKubeconfig({ path: write('a', config({ token: 'tok' })), context: 'two' })
    expect(endpoint.url.href).toBe('https://two:6443/')
    expect(endpoint.tls).toEqual({ rejectUnauthorized: false })
  })

  test('has client certificates, in place or in files beside it', () => {
    write('cert.pem', 'CERT')
    const user = { 'client-certificate': 'cert.pem', 'client-key-data': Buffer.from('KEY').toString('base64') }
    expect(readKubeconfig({ path: write('a', config(user, { 'tls-server-name': 'kubernetes' })) }).tls).toEqual({
      rejectUnauthorized: true,
      cert: 'CERT',
      key: 'KEY',
      servername: 'kubernetes',
    })
  })

  test.each([
    ['a token file', { tokenFile: 'tok' }, 'Bearer from-file'],
    ['basic authentication', { username: 'a', password: 'b' }, 'Basic YTpi'],
    ['nothing', {}, null],
  ])('authorises by %s', async (_name, user, expected) => {
    write('tok', 'from-file\n')
    expect(await readKubeconfig({ path: write('a', config(user)) }).authorization()).toBe(expected)
  })

  test('comes from KUBECONFIG, the first file that names something wins', () => {
    const first = write('a', { 'current-context': 'two', users: [{ name: 'u', user: { token: 'first' } }] })
    vi.stubEnv('KUBECONFIG', [first, write('b', config({ token: 'second' }))].join(delimiter))
    expect(readKubeconfig({}).url.host).toBe('two:6443')
  })
})

describe('a credential plugin', () => {
  const plugin = (script: string) => {
    const path = write('plugin', `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
    return readKubeconfig({
      path: write('a', config({ exec: { command: './plugin', args: ['x'], env: [{ name: 'REGION', value: 'eu' }] } })),
    })
  }

  test('is run once while its token is valid', async () => {
    const endpoint = plugin(
      `echo >>"${join(folder, 'runs')}"; printf '{"status": {"token": "%s-%s", "expirationTimestamp": "2999-01-01T00:00:00Z"}}' "$REGION" "$1"`,
    )
    expect(await Promise.all([endpoint.authorization(), endpoint.authorization()])).toEqual([
      'Bearer eu-x',
      'Bearer eu-x',
    ])
    expect(await endpoint.authorization()).toBe('Bearer eu-x')
    const { readFileSync } = await import('node:fs')
    expect(readFileSync(join(folder, 'runs'), 'utf8')).toBe('\n')
  })

  test('is run again when its token is about to expire', async () => {
    const endpoint = plugin(
      `echo >>"${join(folder, 'runs')}"; printf '{"status": {"token": "%s", "expirationTimestamp": "2020-01-01T00:00:00Z"}}' $(wc -l <"${join(folder, 'runs')}")`,
    )
    expect(await endpoint.authorization()).toBe('Bearer 1')
    expect(await endpoint.authorization()).toBe('Bearer 2')
  })

  test.each([
    ['fails', 'echo secret; exit 3', /failed \(3\)/],
    ['prints nothing useful', 'echo hello', /did not print an ExecCredential/],
    ['has no token', 'echo "{}"', /gave no token/],
  ])('that %s is told, and asked again', async (_name, script, message) => {
    const endpoint = plugin(script)
    for (let i = 0; i < 2; i++) await expect(endpoint.authorization()).rejects.toThrow(message)
    await expect(endpoint.authorization()).rejects.not.toThrow('secret')
  })
})

test.each<[string, object | string, { context?: string }, RegExp]>([
  ['no current context', { contexts: [] }, {}, /no current context/],
  ['an unknown context', config({}), { context: 'three' }, /no context named "three"/],
  ['an unknown user', { ...config({}), users: [] }, {}, /no user named "u"/],
  ['no YAML', 'a: [', {}, /not valid YAML/],
  ['nothing', '', {}, /is empty/],
  ['a broken authority', config({}, { 'certificate-authority-data': 'bm8=' }), {}, /certificate authority/],
  ['a missing certificate', config({ 'client-certificate': 'none', 'client-key': 'none' }), {}, /cannot be read: none/],
  ['a removed auth provider', config({ 'auth-provider': { name: 'gcp' } }), {}, /auth provider gcp/],
])('%s is named', (_name, content, target, message) => {
  const path = write('a', content)
  expect(() => readKubeconfig({ path, ...target })).toThrow(message)
})

test('a file that does not exist is named', () => {
  expect(() => readKubeconfig({ path: join(folder, 'none') })).toThrow(/none cannot be read: ENOENT/)
})
