import type { Context, Hono } from 'hono'
import { type Authenticator, clientAddress } from './auth/authenticate.ts'
import { readJsonBody } from './body.ts'
import type { Actor, ApiDeps, RequestContext } from './context.ts'
import { errorResponse, toApiError } from './error-response.ts'
import {
  ApiError,
  MethodNotAllowedError,
  NotAuthenticatedError,
  NotFoundError,
  PermissionDeniedError,
  UnknownPathError,
} from './errors.ts'
import type { FieldOptions } from './field-options.ts'
import { type Options, optionsHead } from './options.ts'
import type { Registry } from './registry.ts'
import type { Upgrade } from './web-sockets.ts'

/** Methods that an endpoint may have; HEAD and OPTIONS follow. */
export const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
/** One of them. */
export type Method = (typeof methods)[number]

/** What a handler answers: a ready response, or status and JSON body. */
export type Answer = Response | { status: number; body?: unknown; headers?: Record<string, string> }

/** What a handler gets. */
export interface EndpointRequest {
  context: RequestContext
  /** Value of a `:name` in the path, decoded. */
  param(name: string): string
  /** JSON body of a write; `{}` for reads. */
  body: Record<string, unknown>
  query: URLSearchParams
}

/** One path of the API with everything it can do. Routes, Allow, 405, OPTIONS and OpenAPI follow from these. */
export interface Endpoint {
  /** `/api/v2/organizations/:id/`; always ends in a slash, unless it names a file. */
  path: string
  /** OPTIONS `name`. */
  name: string
  description: string
  /** What each method does, for OpenAPI and docs; without one the description says it. */
  summaries?: Partial<Record<Method, string>>
  /** Group in OpenAPI and docs: the resource's name. */
  tag: string
  handlers: Partial<Record<Method, (request: EndpointRequest) => Promise<Answer>>>
  /** OPTIONS beyond the head; asked with the actor, works for missing objects. */
  options(context: RequestContext): Promise<Options> | Options
  /** Served without authentication. */
  anonymous?: boolean
  /** Reads `format` and Accept itself. */
  ownFormats?: boolean
  /** Writes open their own transactions. */
  ownTransaction?: boolean
  /** Form bodies and the like: the handler reads `context.request` itself. */
  ownBody?: boolean
  /** Query parameters and bodies for OpenAPI. */
  documents?: EndpointDocuments
}

/** What OpenAPI tells of an endpoint beyond its path and methods. */
export interface EndpointDocuments {
  /** A list: paging and filters apply. */
  list?: boolean
  /** Fields of bodies by method, and of what is answered, as OPTIONS gives them. */
  fields?: Partial<Record<Method, FieldOptions>>
  answer?: FieldOptions
}

/** Everything a request needs that outlives it. */
export interface Serving {
  deps: ApiDeps
  registry: Registry
  authenticator: Authenticator
}

/** Nobody: what anonymous endpoints see. Has no rights. */
export const anonymous: Actor = {
  id: 0,
  username: '',
  firstName: '',
  lastName: '',
  isSuperuser: false,
  isSystemAuditor: false,
  via: 'basic',
  scope: 'read',
}

/** Registers an endpoint with and without its trailing slash. */
export function serve(app: Hono, endpoint: Endpoint, serving: Serving): void {
  app.all(endpoint.path, (c) => answer(c, endpoint, serving))
  if (!endpoint.path.endsWith('/')) return
  app.all(endpoint.path.slice(0, -1), (c) => {
    const url = new URL(c.req.url)
    if (['GET', 'HEAD', 'OPTIONS'].includes(c.req.method)) return c.redirect(`${url.pathname}/${url.search}`, 301)
    // A redirected POST would lose its body, so AWX refuses it; PATCH and DELETE it serves.
    return c.req.method === 'POST' ? errorResponse(new UnknownPathError()) : answer(c, endpoint, serving)
  })
}

/** `Allow` of an endpoint, in AWX's order; awxkit splits it on ", ". */
export function allowHeader(endpoint: Endpoint): string {
  const offered = methods.filter((method) => endpoint.handlers[method])
  return [...offered, ...(endpoint.handlers.GET ? ['HEAD'] : []), 'OPTIONS'].join(', ')
}

async function answer(c: Context, endpoint: Endpoint, serving: Serving): Promise<Response> {
  let response: Response
  try {
    response = await respond(c, endpoint, serving)
  } catch (error) {
    response = errorResponse(toApiError(error, serving.deps.log))
  }
  const { headers } = response
  if (response.status !== 404 || headers.get('content-type')?.startsWith('application/json')) {
    headers.set('Allow', allowHeader(endpoint))
  }
  return response
}

async function respond(c: Context, endpoint: Endpoint, serving: Serving): Promise<Response> {
  const actor = await authenticate(c, endpoint, serving)
  const { method } = c.req
  const context: RequestContext = {
    db: serving.deps.store.db,
    deps: serving.deps,
    registry: serving.registry,
    actor,
    now: new Date(serving.deps.clock?.() ?? Date.now()).toISOString().replace('Z', '000Z'),
    remoteAddress: clientAddress(c),
    request: c.req.raw,
    cutConnection: connectionOf(c),
    upgrade: (c.env as { upgrade?: Upgrade } | undefined)?.upgrade,
    cache: new Map(),
  }
  if (!endpoint.ownFormats) negotiate(c.req.raw)
  if (method === 'OPTIONS') {
    return Response.json({ ...optionsHead(endpoint.name, endpoint.description), ...(await endpoint.options(context)) })
  }
  const handler = endpoint.handlers[method === 'HEAD' ? 'GET' : (method as Method)]
  if (!handler) throw new MethodNotAllowedError(method)
  const reading = method === 'GET' || method === 'HEAD'
  if (!reading && actor.scope === 'read' && !endpoint.anonymous) throw new PermissionDeniedError()
  const body = reading || endpoint.ownBody ? {} : await readJsonBody(c.req.raw)
  const run = (own: RequestContext) =>
    handler({ context: own, body, param: (name) => c.req.param(name) ?? '', query: new URL(c.req.url).searchParams })
  if (reading || endpoint.ownTransaction) return toResponse(await run(context))
  return toResponse(await context.db.transaction((tx) => run({ ...context, db: tx })))
}

function connectionOf(c: Context): RequestContext['cutConnection'] {
  const { outgoing } = (c.env ?? {}) as { outgoing?: { destroy(): void } }
  return outgoing && (() => outgoing.destroy())
}

async function authenticate(c: Context, endpoint: Endpoint, { authenticator }: Serving): Promise<Actor> {
  const actor = await authenticator.identify(c)
  if (actor) {
    c.set('actor', actor)
    return actor
  }
  if (endpoint.anonymous) return anonymous
  throw new NotAuthenticatedError()
}

/** Only JSON is offered; a browser gets it too. */
function negotiate(request: Request): void {
  const format = new URL(request.url).searchParams.get('format')
  if (format !== null && format !== 'json' && format !== 'api') throw new NotFoundError()
  const accept = request.headers.get('accept') ?? '*/*'
  if (!/\*\/\*|application\/(json|\*)|text\/html/i.test(accept)) {
    throw new ApiError(406, { detail: 'Could not satisfy the request Accept header.' })
  }
}

function toResponse(answer: Answer): Response {
  if (answer instanceof Response) {
    // Looked at, a body is sent as the stream that it may be, and a short one still gets its length.
    void answer.body
    return answer
  }
  const { status, body, headers } = answer
  if (body === undefined) return new Response(null, { status, headers })
  return Response.json(body, { status, headers })
}
