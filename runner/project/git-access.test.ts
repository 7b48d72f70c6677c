import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ResolvedCredential } from '../credentials.ts'
import { testCredential } from '../testing.ts'
import { parseGitSource } from './git-url.ts'
import { type ProjectUpdateOptions, runProjectUpdate } from './update.ts'

let folder = ''
const servers: Server[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-access-'))
})
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
  rmSync(folder, { recursive: true, force: true })
})

function git(cwd: string, ...words: string[]): string {
  const identity = ['-c', 'user.name=T', '-c', 'user.email=t@example.org', '-c', 'protocol.file.allow=always']
  return execFileSync('git', [...identity, ...words], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** A bare repository `<name>.git` that plain files can be fetched from. */
function makeRepository(name: string, prepare: (work: string) => void = () => {}): string {
  const work = join(folder, `${name}-work`)
  mkdirSync(work)
  git(work, 'init', '--quiet', '-b', 'main')
  writeFileSync(join(work, 'site.yml'), '- hosts: all\n')
  prepare(work)
  git(work, 'add', '-A')
  git(work, 'commit', '--quiet', '-m', 'c')
  git(folder, 'clone', '--quiet', '--bare', work, `${name}.git`)
  git(join(folder, `${name}.git`), 'update-server-info')
  return join(folder, `${name}.git`)
}

/** Serves the folder over HTTP to whoever gives this password; notes every Authorization header. */
async function serve(password: string): Promise<{ origin: string; seen: Set<string> }> {
  const seen = new Set<string>()
  const server = createServer((request, response) => {
    const given = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString('utf8')
    seen.add(given)
    const path = join(folder, new URL(request.url ?? '', 'http://x').pathname)
    if (given !== password) response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="git"' }).end()
    else if (!existsSync(path)) response.writeHead(404).end()
    else response.end(readFileSync(path))
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

async function update(scmUrl: string, credential: ResolvedCredential | null, more: Partial<ProjectUpdateOptions> = {}) {
  const told: unknown[] = []
  const options = {
    dataFolder: join(folder, 'data'),
    projectId: 1,
    scmType: 'git',
    scmUrl,
    scmBranch: '',
    scmRefspec: '',
  }
  const rest = { scmTrackSubmodules: false, scmDeleteOnUpdate: false, galaxy: null, refreshContent: true, timeout: 0 }
  const signal = new AbortController().signal
  const result = await runProjectUpdate({ ...options, ...rest, credential, signal, ...more }, (rows) => {
    told.push(...rows)
  })
  return { result, all: JSON.stringify([result, told]) }
}

const scm = (inputs: Record<string, string>) => testCredential('scm', inputs, { namespace: 'scm' })

/** Everything that is left on the disk, as text. */
function leftOnDisk(): string {
  return execFileSync('sh', ['-c', 'find . -type f -exec cat {} +'], { cwd: join(folder, 'data'), encoding: 'latin1' })
}

describe('over HTTP', () => {
  test('a credential opens the door, and stays out of sight', async () => {
    makeRepository('repo')
    const { origin } = await serve('me:s3cret/ü@x')
    const { result, all } = await update(`${origin}/repo.git`, scm({ username: 'me', password: 's3cret/ü@x' }))
    expect(result).toMatchObject({ status: 'successful', playbooks: ['site.yml'] })
    expect(all + leftOnDisk()).not.toContain('s3cret')
  })

  test('so do user and password in the URL', async () => {
    makeRepository('repo')
    const { origin } = await serve('me:s3cret')
    const { result, all } = await update(`${origin.replace('//', '//me:s3cret@')}/repo.git`, null)
    expect(result.status).toBe('successful')
    expect(all + leftOnDisk()).not.toContain('s3cret')
  })

  test('a wrong password is told as such, at once', async () => {
    makeRepository('repo')
    const { origin } = await serve('me:right')
    const { result, all } = await update(`${origin}/repo.git`, scm({ username: 'me', password: 'wrong-one' }))
    expect(result.cause?.message).toContain('Authentication failed')
    expect(all).not.toContain('wrong-one')
    expect((await update(`${origin}/repo.git`, null)).result.status).toBe('failed')
  })

  test('a submodule elsewhere does not get the password', async () => {
    const elsewhere = await serve('me:s3cret')
    makeRepository('lib')
    makeRepository('repo', (work) => {
      git(work, 'submodule', '--quiet', 'add', join(folder, 'lib.git'), 'lib')
      git(work, 'config', '-f', '.gitmodules', 'submodule.lib.url', `${elsewhere.origin}/lib.git`)
    })
    const { origin } = await serve('me:s3cret')
    const { result } = await update(`${origin}/repo.git`, scm({ username: 'me', password: 's3cret' }))
    expect(result.status).toBe('failed')
    expect([...elsewhere.seen]).toEqual([''])
  })

  test('a remote project does not reach repositories on the control plane', async () => {
    const lib = makeRepository('lib')
    makeRepository('repo', (work) => {
      git(work, 'submodule', '--quiet', 'add', lib, 'lib')
    })
    const { origin } = await serve('me:s3cret')
    const { result } = await update(`${origin}/repo.git`, scm({ username: 'me', password: 's3cret' }))
    expect(result.cause?.message).toContain("transport 'file' not allowed")
  })
})

describe('over SSH', () => {
  /** Stands for ssh: notes how it was called and what its questions are answered, then runs the remote command here. */
  function fakeSsh(question: string): Record<string, string> {
    const bin = join(folder, 'bin')
    mkdirSync(bin, { recursive: true })
    const script = `#!/bin/sh
printf '%s\\n' "$@" > '${folder}/words'
for word; do case "$word" in IdentityFile=\\"*) key=$(echo "$word" | cut -d'"' -f2); cat "$key" > '${folder}/key'; stat -c %a "$key" > '${folder}/mode';; esac; done
"$SSH_ASKPASS" "${question}" > '${folder}/answer'
for word; do last=$word; done
eval "exec $last"
`
    writeFileSync(join(bin, 'ssh'), script)
    chmodSync(join(bin, 'ssh'), 0o755)
    return { PATH: `${bin}:${process.env.PATH}` }
  }
  const noted = (name: string) => readFileSync(join(folder, name), 'utf8')

  test('the key lies in a file of its own for the time being, its passphrase is given when asked', async () => {
    const repository = makeRepository('repo')
    const env = fakeSsh("Enter passphrase for key '/x': ")
    const credential = scm({ username: 'deploy', ssh_key_data: 'THE-PRIVATE-KEY', ssh_key_unlock: 'p4ss phrase' })
    const { result, all } = await update(`ssh://git.example.org${repository}`, credential, { env })
    expect(result.status).toBe('successful')
    expect([noted('key'), noted('mode'), noted('answer')]).toEqual(['THE-PRIVATE-KEY\n', '600\n', 'p4ss phrase\n'])
    const words = noted('words').split('\n')
    expect(words).toEqual(expect.arrayContaining(['deploy@git.example.org', 'StrictHostKeyChecking=accept-new']))
    expect(words.join(' ')).not.toMatch(/THE-PRIVATE|p4ss/)
    expect(all + leftOnDisk()).not.toMatch(/THE-PRIVATE|p4ss/)
  })

  test('a password is given to the project host only', async () => {
    const repository = makeRepository('repo')
    const credential = scm({ password: 'pw' })
    await update(`git@host.example.org:${repository}`, credential, {
      env: fakeSsh("git@host.example.org's password: "),
      hostKeys: { knownHosts: 'host.example.org ssh-ed25519 AAAA' },
    })
    expect(noted('answer')).toBe('pw\n')
    expect(noted('words')).toContain('StrictHostKeyChecking=yes')
    await update(`git@host.example.org:${repository}`, credential, {
      env: fakeSsh("git@other.example.org's password: "),
    })
    expect(noted('answer')).toBe('')
  })

  test('without credentials nothing of the control plane is offered', async () => {
    const more = { env: fakeSsh('?'), hostKeys: 'accept-any' as const }
    const { result } = await update(`git@host:${makeRepository('repo')}`, null, more)
    expect(result.status).toBe('successful')
    expect(noted('words').split('\n')).toEqual(
      expect.arrayContaining([
        'IdentityAgent=none',
        'IdentityFile=none',
        'BatchMode=yes',
        'UserKnownHostsFile="/dev/null"',
      ]),
    )
  })
})

describe('a server that takes the connection and says nothing', () => {
  const sockets = new Set<Socket>()
  const silent = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => {}))
  })
  beforeEach(() => new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve)))
  afterEach(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => silent.close(resolve))
  })

  test.each([
    ['http', /too slow|heard nothing for 2 seconds/],
    ['git', /heard nothing for 2 seconds/],
    ['ssh', /timed out|heard nothing for 2 seconds/],
  ])('%s: is given up', async (scheme, message) => {
    const { port } = silent.address() as AddressInfo
    const { result } = await update(`${scheme}://127.0.0.1:${port}/x.git`, null, { patience: 1 })
    expect(result).toMatchObject({ status: 'failed', project: null })
    expect(`${result.cause?.message} ${result.cause?.detail}`).toMatch(message)
  })
})

describe('URLs', () => {
  test.each([
    ['https://u:p%40@host:8443/a.git?x=1', '', 'https://host:8443/a.git?x=1', 'u', 'p@'],
    ['git@github.com:o/r.git', 'someone', 'git@github.com:o/r.git', 'git', ''],
    ['host:o/r.git', 'me', 'me@host:o/r.git', 'me', ''],
    ['[::1]:o/r.git', '', '[::1]:o/r.git', '', ''],
    ['ssh://u:p@host:22/r', '', 'ssh://u@host:22/r', 'u', 'p'],
    ['SSH://host/r', 'me', 'ssh://me@host/r', 'me', ''],
    ['/srv/x', 'me', '/srv/x', '', ''],
    ['file:///srv/x', '', 'file:///srv/x', '', ''],
    [' git://host/x ', '', 'git://host/x', '', ''],
  ])('%s', (given, username, url, user, password) => {
    expect(parseGitSource(given, username)).toMatchObject({ url, username: user, password })
  })

  test.each(['http://', 'ftp://h/x', 'file://host/x', 'https://%zz', 'ssh://-x@h/y', '-u@h:x', 'a\nb:c', 'fd::17/x'])(
    '%j is refused',
    (given) => expect(() => parseGitSource(given)).toThrow(/SCM URL|file URL/),
  )
})
