import { randomBytes } from 'node:crypto'
import type { Hono } from 'hono'
import { pino } from 'pino'
import { bootstrap, readInstallUuid } from '../store/bootstrap.ts'
import type { Store } from '../store/database.ts'
import { loadKeyring } from '../store/secrets.ts'
import { testStore } from '../store/testing.ts'
import { createApp } from './app.ts'
import type { ApiDeps } from './context.ts'
import type { Resource } from './resource.ts'

/** Password of `admin` in the databases that these tests make. */
export const adminPassword = 'correct horse battery staple'

/** An API without sockets, on a database of its own; for tests. */
export interface TestApp {
  app: Hono
  store: Store
  deps: ApiDeps
  /** A request by `admin`, or by whom `as` names; `body` is sent as JSON. */
  call(method: string, path: string, body?: unknown, options?: CallOptions): Promise<TestAnswer>
  /** Makes an object by a POST to a path below `/api/v2/`, such as `organizations`; what was answered. Throws where that was a refusal. */
  make(path: string, body: object): Promise<TestAnswer['body']>
  close(): Promise<void>
}

interface CallOptions {
  /** `user:password`; null: nobody. */
  as?: string | null
  headers?: Record<string, string>
  /** Body as it is, with its content type. */
  raw?: { text: string; type?: string }
  /** Address that the connection comes from. */
  from?: string
}

/** An answer, read to its end. */
export interface TestAnswer {
  status: number
  headers: Headers
  /** Parsed JSON where it is JSON, else the text. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  body: any
}

/** The API on a bootstrapped database: the one given, else one in memory. */
export async function openTestApp(
  options: { resources?: readonly Resource[]; deps?: Partial<ApiDeps>; store?: Store } = {},
): Promise<TestApp> {
  const store = options.store ?? (await testStore('pglite'))
  await bootstrap(store, { adminPassword, defaultImage: 'registry.example.org/ee:1' })
  const deps: ApiDeps = {
    store,
    keyring: await loadKeyring({ MAYFLY_SECRET_KEY: randomBytes(32).toString('base64') }),
    installUuid: await readInstallUuid(store.db),
    nodeName: 'mayfly-1',
    projectsRoot: '/var/lib/mayfly/projects',
    defaultNamespace: 'mayfly',
    publicUrl: 'https://towerhost',
    log: pino({ level: 'silent' }),
    ...options.deps,
  }
  const app = options.resources ? createApp(deps, options.resources) : createApp(deps)
  return {
    app,
    store,
    deps,
    call: (method, path, body, more) => call(app, method, path, body, more),
    make: (path, body) => make(app, path, body),
    close: () => store.close(),
  }
}

async function make(app: Hono, path: string, body: object): Promise<TestAnswer['body']> {
  const answer = await call(app, 'POST', `/api/v2/${path}/`, body)
  if (answer.status >= 300) throw new Error(`POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}

async function call(
  app: Hono,
  method: string,
  path: string,
  body: unknown,
  options: CallOptions = {},
): Promise<TestAnswer> {
  const { as = `admin:${adminPassword}`, headers = {}, raw, from } = options
  const payload = raw ? raw.text : body === undefined ? undefined : JSON.stringify(body)
  const type = raw ? raw.type : payload === undefined ? undefined : 'application/json'
  const response = await app.request(
    path,
    {
      method,
      headers: {
        ...(as === null ? {} : { authorization: `Basic ${Buffer.from(as).toString('base64')}` }),
        ...(type === undefined ? {} : { 'content-type': type }),
        ...headers,
      },
      body: payload,
    },
    from === undefined ? undefined : { incoming: { socket: { remoteAddress: from } } },
  )
  const text = await response.text()
  const json = response.headers.get('content-type')?.startsWith('application/json') ?? false
  return { status: response.status, headers: response.headers, body: json && text !== '' ? JSON.parse(text) : text }
}
