import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testCredential } from '../testing.ts'
import { type ProjectUpdateOptions, runProjectUpdate } from './update.ts'

/** The real git and ssh against a server that knows one key and one password. */

/** What is used of the package `ssh2`, whose types would bring those of an old Node. */
interface Ssh2 {
  Server: new (options: { hostKeys: Buffer[] }, onClient: (client: Client) => void) => Server
  utils: { parseKey(key: Buffer): PublicKey }
}
interface PublicKey {
  getPublicSSH(): Buffer
  verify(data: Buffer, signature: Buffer, algorithm?: string): boolean
}
interface Client {
  on(event: 'authentication', handler: (attempt: Attempt) => void): Client
  on(event: 'session', handler: (accept: () => Session) => void): Client
  on(event: 'error', handler: () => void): Client
}
interface Attempt {
  method: string
  username: string
  password?: string
  key?: { data: Buffer }
  blob?: Buffer
  signature?: Buffer
  hashAlgo?: string
  accept(): void
  reject(methods: string[]): void
}
interface Session {
  on(event: 'exec', handler: (accept: () => Channel, reject: () => void, info: { command: string }) => void): void
}
interface Channel extends Duplex {
  stderr: NodeJS.WritableStream
  exit(code: number): void
}
const { Server: SshServer, utils } = createRequire(import.meta.url)('ssh2') as Ssh2

const passphrase = 'a passphrase of words'
const password = 'p4ss-of-the-deployer'
let folder = ''
let server: Server
const users = new Set<string>()
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-ssh-'))
  for (const [name, secret] of [
    ['key', passphrase],
    ['host', ''],
    ['other', ''],
  ] as const)
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', secret, '-f', join(folder, name)])
  mkdirSync(join(folder, 'repo'))
  const git = (...words: string[]) =>
    execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@example.org', ...words], {
      cwd: join(folder, 'repo'),
    })
  git('init', '--quiet', '-b', 'main')
  writeFileSync(join(folder, 'repo/site.yml'), '- hosts: all\n')
  git('add', '-A')
  git('commit', '--quiet', '-m', 'c')
  const allowed = utils.parseKey(readFileSync(join(folder, 'key.pub')))
  server = new SshServer({ hostKeys: [readFileSync(join(folder, 'host'))] }, (client) => {
    client
      .on('authentication', (attempt) => {
        users.add(attempt.username)
        if (isWelcome(attempt, allowed)) attempt.accept()
        else attempt.reject(['publickey', 'password'])
      })
      .on('session', (accept) => accept().on('exec', (take, _refuse, { command }) => runHere(take(), command)))
      .on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
  rmSync(folder, { recursive: true, force: true })
})

function isWelcome(attempt: Attempt, allowed: PublicKey): boolean {
  if (attempt.method === 'password') return attempt.password === password
  if (attempt.method !== 'publickey' || !attempt.key?.data.equals(allowed.getPublicSSH())) return false
  // Without a signature it is only asked whether the key would do.
  return !attempt.signature || allowed.verify(attempt.blob ?? Buffer.alloc(0), attempt.signature, attempt.hashAlgo)
}

function runHere(channel: Channel, command: string): void {
  const child = spawn('sh', ['-c', command])
  // The channel ends with the exit status, which must not come after the end.
  child.stdout.pipe(channel, { end: false })
  child.stderr.pipe(channel.stderr)
  channel.pipe(child.stdin)
  child.on('close', (code) => {
    channel.exit(code ?? 1)
    channel.end()
  })
}

let projects = 0
async function update(inputs: Record<string, string> | null, more: Partial<ProjectUpdateOptions> = {}) {
  const told: unknown[] = []
  const { port } = server.address() as AddressInfo
  const options = {
    dataFolder: join(folder, 'data'),
    projectId: ++projects,
    scmType: 'git',
    scmUrl: `ssh://somebody@127.0.0.1:${port}${folder}/repo`,
    scmBranch: '',
    scmRefspec: '',
    scmTrackSubmodules: false,
    scmDeleteOnUpdate: false,
    credential: inputs && testCredential('scm', inputs, { namespace: 'scm' }),
    galaxy: null,
    refreshContent: true,
    timeout: 0,
    signal: new AbortController().signal,
    ...more,
  }
  const result = await runProjectUpdate(options, (rows) => {
    told.push(...rows)
  })
  return { result, all: JSON.stringify([result, told]) }
}

const keyText = () => readFileSync(join(folder, 'key'), 'utf8')
const leftOnDisk = () =>
  execFileSync('sh', ['-c', 'find . -type f -exec cat {} +'], { cwd: join(folder, 'data'), encoding: 'latin1' })

describe('a repository over SSH', () => {
  test('opens to a key with its passphrase, as the user of the credential', async () => {
    users.clear()
    const inputs = { username: 'deploy', ssh_key_data: keyText(), ssh_key_unlock: passphrase }
    const { result, all } = await update(inputs)
    expect([result.cause, result.playbooks]).toEqual([null, ['site.yml']])
    expect([...users]).toEqual(['deploy'])
    const keyLine = keyText().split('\n')[1] ?? ''
    for (const secret of [passphrase, keyLine]) expect((all + leftOnDisk()).includes(secret)).toBe(false)
  })

  test('opens to a password', async () => {
    const { result, all } = await update({ username: 'deploy', password })
    expect(result.status).toBe('successful')
    expect((all + leftOnDisk()).includes(password)).toBe(false)
  })

  test.each([
    ['a wrong passphrase', () => ({ ssh_key_data: keyText(), ssh_key_unlock: 'another one' })],
    ['no passphrase', () => ({ ssh_key_data: keyText() })],
    ['another key', () => ({ ssh_key_data: readFileSync(join(folder, 'other'), 'utf8') })],
    ['a wrong password', () => ({ password: 'wrong-p4ss' })],
    ['nothing', () => null],
  ])('stays closed to %s, at once and in words', async (_what, inputs) => {
    const { result, all } = await update(inputs())
    expect(result.cause?.message).toContain('Permission denied (publickey,password)')
    expect(all).not.toMatch(/another one|wrong-p4ss/)
  })

  test('of another host than the known one is refused', async () => {
    const { port } = server.address() as AddressInfo
    const other = readFileSync(join(folder, 'other.pub'), 'utf8')
    const hostKeys = { knownHosts: `[127.0.0.1]:${port} ${other}` }
    const { result } = await update({ username: 'deploy', password }, { hostKeys })
    expect(result.cause?.message).toMatch(/Host key (for .* has changed|verification failed)/)
  })
})
