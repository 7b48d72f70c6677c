/** Mayfly as real processes for a test file, with a database and namespaces of its own, so that test files run in parallel. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { cacheRoot } from '../../dev/paths.ts'
import { until } from '../../dev/wait.ts'
import { News } from './news.ts'
import { ownDatabase, ownKubernetesNamespace, ownTemporalNamespace, Undo } from './own-places.ts'
import { Part } from './part.ts'
import { freePort } from './port.ts'
import type { TestStack } from './stack.ts'

/** What to start. */
export interface MayflyOptions {
  /** Default true. */
  api?: boolean
  /** Default true. */
  worker?: boolean
  /** One process for everything on the embedded database, as `mayfly dev` does, in place of `api` and `worker`. */
  inOne?: boolean
  /** An empty database of the test's own, in place of one on the stack's server. */
  databaseUrl?: string
  /** Whether the one on the stack's server begins without a schema; default false. */
  unmigrated?: boolean
  /** Settings that differ from the defaults of a test. */
  env?: Record<string, string>
}

/** `api`, `worker`, `dev` (with `inOne`), or a further one such as `worker-2`, which `start` brings up. */
export type PartName = 'api' | 'worker' | 'dev' | `${'api' | 'worker'}-${number}`

/** An answer of the API; `body` is undefined when it was not JSON. */
export interface Answer<Body> {
  status: number
  headers: Headers
  body: Body
  text: string
}

/** Mayfly, running. */
export interface Mayfly {
  /** Short unique name; the namespaces are called so. */
  id: string
  url: string
  /** Value of the Authorization header of `admin`. */
  auth: string
  password: string
  databaseUrl: string
  kubernetesNamespace: string
  temporalNamespace: string
  stack: TestStack
  /** Folder whose sub-folders are the manual projects; it exists. */
  projectsRoot: string
  /** Folder of the logs and the data; removed by `stop`. */
  folder: string
  /** Environment of its processes, for further commands; see `runMayfly`. */
  env: NodeJS.ProcessEnv
  /** A request as `admin`; `path` is below /api/v2 and begins with a slash, or a path that begins with /api/. */
  api<Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<Body>>
  /** As `api` with POST or PATCH, but an answer of 400 or more is an error that quotes it. */
  post<Body = { id: number }>(path: string, body?: unknown): Promise<Body>
  patch<Body = { id: number }>(path: string, body: unknown): Promise<Body>
  get<Body = Record<string, unknown>>(path: string): Promise<Body>
  /** Resolves with the job once its status is final; `path` is that of the job, such as `/jobs/7/`. */
  ended(path: string, seconds?: number): Promise<{ id: number; status: string; job_explanation: string }>
  /** Passes the time until there is news of a job, for `until`. */
  newsOf(job: number): () => Promise<void>
  /** As `newsOf`, for who only waits for the job's end. */
  endOf(job: number): () => Promise<void>
  /** Starts a part that does not run, and resolves when it is ready. */
  start(part: PartName): Promise<void>
  /** kill -9, and resolves when it is dead. */
  kill9(part: PartName): Promise<void>
  /** SIGTERM, and resolves when it has ended. */
  terminate(part: PartName): Promise<void>
  /** Exit code of a part's process that has ended; null when it was killed. */
  exitCode(part: PartName): number | null
  /** kill -9 (if it runs) and start. */
  restart(part: PartName): Promise<void>
  pid(part: PartName): number | undefined
  /** Everything a part wrote. */
  logs(part: PartName): string
  /** Ends all parts and removes everything that belongs to them alone. */
  stop(): Promise<void>
}

/** Starts Mayfly and resolves when it is ready. Call `stop` in `afterAll`. */
export async function startMayfly(options: MayflyOptions = {}): Promise<Mayfly> {
  const undo = new Undo()
  try {
    return await build(inject('stack'), options, undo)
  } catch (error) {
    await undo.all()
    throw error
  }
}

async function build(stack: TestStack, options: MayflyOptions, undo: Undo): Promise<Mayfly> {
  const id = `t-${randomBytes(4).toString('hex')}`
  const folder = mkdtempSync(join(tmpdir(), `mayfly-${id}-`))
  undo.add(async () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }))
  const projectsRoot = join(folder, 'projects')
  mkdirSync(projectsRoot)
  const dataFolder = join(folder, 'data')
  const database = options.unmigrated ? undefined : stack.migratedDatabase
  const [databaseUrl] = await Promise.all([
    options.databaseUrl ??
      (options.inOne ? `pglite://${join(dataFolder, 'pglite')}` : ownDatabase(stack, id, undo, database)),
    ownKubernetesNamespace(stack, id, undo),
    ownTemporalNamespace(stack, id, undo),
  ])
  const news = new News(databaseUrl)
  undo.add(() => news.close())
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const password = randomBytes(12).toString('base64url')
  const { PATH, HOME, LANG } = process.env
  const env = {
    ...{ PATH, HOME, LANG, ...stack.ansibleGalaxy.env },
    MAYFLY_CACHE: cacheRoot(),
    // From the very first module on; `enableCompileCache` comes too late for those that call it.
    NODE_COMPILE_CACHE: join(cacheRoot(), 'compiled'),
    MAYFLY_ANSIBLE_GALAXY: stack.ansibleGalaxy.command.join(' '),
    MAYFLY_STATE: join(folder, 'state'),
    MAYFLY_DATA: dataFolder,
    MAYFLY_PROJECTS_ROOT: projectsRoot,
    MAYFLY_DATABASE_URL: databaseUrl,
    MAYFLY_SECRET_KEY: randomBytes(32).toString('base64'),
    MAYFLY_PORT: String(port),
    MAYFLY_ADMIN_PASSWORD: password,
    MAYFLY_KUBECONFIG: stack.kubeconfigPath,
    MAYFLY_KUBE_CONTEXT: stack.kubeContext,
    MAYFLY_NAMESPACE: id,
    MAYFLY_EE_IMAGE: stack.image,
    TEMPORAL_ADDRESS: stack.temporalAddress,
    TEMPORAL_NAMESPACE: id,
    ...options.env,
  }
  const auth = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`
  const api: Mayfly['api'] = async <Body>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => {
    const response = await fetch(url + (path.startsWith('/api/') ? path : `/api/v2${path}`), {
      method,
      headers: {
        authorization: auth,
        // The server ends a connection that is idle for some seconds, which a busy machine hears of too late when it uses it again.
        connection: 'close',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      redirect: 'manual',
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: parse(text) as Body, text }
  }
  const good = async <Body>(method: string, path: string, body?: unknown): Promise<Body> => {
    const answer = await api<Body>(method, path, body)
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 2000)}`)
    return answer.body
  }
  const answers = async () => (await fetch(`${url}/api/v2/ping/`)).ok

  const parts = new Map<PartName, Part>()
  undo.add(async () => {
    await Promise.all([...parts.values()].map((part) => part.end('SIGTERM')))
  })
  const part = (name: PartName): Part => {
    const known = parts.get(name)
    if (known) return known
    const [command = name] = name.split('-')
    const made = new Part(name, command === 'dev' ? ['dev'] : [command, '--migrate'], env, join(folder, `${name}.log`))
    parts.set(name, made)
    return made
  }
  const start = async (name: PartName): Promise<void> => {
    part(name).start()
    await part(name).ready(answers)
  }

  const mayfly: Mayfly = {
    ...{ id, url, auth, password, databaseUrl, stack, projectsRoot, folder, env, api },
    kubernetesNamespace: id,
    temporalNamespace: id,
    get: (path) => good('GET', path),
    post: (path, body) => good('POST', path, body ?? {}),
    patch: (path, body) => good('PATCH', path, body),
    ended: async (path, seconds = 300) => {
      const id = Number(/(\d+)\/$/.exec(path)?.[1])
      const wait = { what: `${path} to end`, seconds, pause: news.pausesUntilEnd(id) }
      return await until(wait, async () => {
        const job = await good<{ id: number; status: string; job_explanation: string; finished: string | null }>(
          'GET',
          path,
        )
        return job.finished === null ? undefined : job
      })
    },
    newsOf: (job) => news.pauses(job),
    endOf: (job) => news.pausesUntilEnd(job),
    start,
    kill9: (name) => part(name).end('SIGKILL'),
    terminate: (name) => part(name).end('SIGTERM'),
    restart: async (name) => {
      await part(name).end('SIGKILL')
      await start(name)
    },
    exitCode: (name) => part(name).exitCode,
    pid: (name) => part(name).pid,
    logs: (name) => part(name).logs(),
    stop: () => undo.all(),
  }
  const wanted: PartName[] = options.inOne
    ? ['dev']
    : [...((options.api ?? true) ? (['api'] as const) : []), ...((options.worker ?? true) ? (['worker'] as const) : [])]
  await Promise.all(wanted.map(start))
  return mayfly
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
