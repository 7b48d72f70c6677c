/** Repositories of a test's own, and git's own server for them over HTTP: open, behind a password, or silent. */
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'

/** A repository with a work tree that the test changes. */
export interface TestRepository {
  /** Its folder on this machine. */
  folder: string
  /** Writes files, commits them on the present branch and gives the commit's id. */
  commit(files: Record<string, string>): string
  /** Runs git in it; its trimmed output. */
  git(...words: string[]): string
}

/** Git over HTTP below one folder. */
export interface GitServer {
  origin: string
  /** User and password of whatever lies below `/private/`. */
  username: string
  password: string
  /** What was asked for, as `GET /path?query`. */
  requests: string[]
  /** Makes a repository `name` of these files on the branch main; it is at `<origin>/public/<name>`, `/private/<name>` and, never answered, `/silent/<name>`. */
  repository(name: string, files: Record<string, string>): TestRepository
  /** Lets nobody have an answer about this repository until the function that it gives is called. */
  hold(name: string): () => void
  stop(): Promise<void>
}

/** Starts a server for repositories below `folder`, which it makes if need be. */
export async function startGitServer(folder: string): Promise<GitServer> {
  mkdirSync(folder, { recursive: true })
  const [username, password] = ['deployer', 'p4ss-of-the-repository']
  const requests: string[] = []
  const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const held = new Map<string, Promise<void>>()
  const server = createServer(async (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    const url = new URL(request.url ?? '', 'http://server')
    const [, door = '', ...rest] = url.pathname.split('/')
    if (door === 'silent') return
    await held.get(rest[0] ?? '')
    if (door === 'private' && request.headers.authorization !== expected) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="git"' }).end()
    } else backend(folder, `/${rest.join('/')}`, url.search.slice(1), request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    username,
    password,
    requests,
    hold: (name) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      held.set(name, promise)
      return () => {
        held.delete(name)
        resolve()
      }
    },
    repository: (name, files) => makeRepository(join(folder, name), files),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Makes a repository in a new folder. */
export function makeRepository(folder: string, files: Record<string, string>): TestRepository {
  const identity = ['-c', 'user.name=T', '-c', 'user.email=t@example.org', '-c', 'protocol.file.allow=always']
  const git = (...words: string[]) =>
    execFileSync('git', [...identity, ...words], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim()
  const commit = (more: Record<string, string>) => {
    for (const [name, text] of Object.entries(more)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    git('add', '-A')
    git('commit', '--quiet', '--allow-empty', '-m', 'change')
    return git('rev-parse', 'HEAD')
  }
  mkdirSync(folder, { recursive: true })
  git('init', '--quiet', '-b', 'main')
  commit(files)
  return { folder, commit, git }
}

/** One request through `git http-backend`, by the rules of CGI. */
function backend(
  folder: string,
  path: string,
  query: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      // The repositories belong to whoever runs the tests, who need not be who owns the folder.
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      REQUEST_METHOD: request.method,
      PATH_INFO: path,
      QUERY_STRING: query,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_ADDR: '127.0.0.1',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  request.pipe(child.stdin.on('error', () => {}))
  let head = Buffer.alloc(0)
  const onHead = (piece: Buffer) => {
    head = Buffer.concat([head, piece])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    child.stdout.off('data', onHead)
    const fields = head
      .toString('latin1', 0, end)
      .split('\r\n')
      .map((line) => line.split(/: */, 2) as [string, string])
    const status = fields.find(([name]) => name.toLowerCase() === 'status')?.[1]
    response.writeHead(Number.parseInt(status ?? '200', 10), Object.fromEntries(fields))
    response.write(head.subarray(end + 4))
    child.stdout.pipe(response)
  }
  child.stdout.on('data', onHead)
  child.on('close', () => response.end())
}
