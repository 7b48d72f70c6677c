import { randomUUID } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import type { Actor, ApiDeps } from './context.ts'

declare module 'hono' {
  interface ContextVariableMap {
    /** Set once the caller is known; the product's version is told to nobody else. */
    actor: Actor
    requestId: string
  }
}

/** The release of AWX whose API we speak; clients compare it. */
export const productVersion = '24.6.1'

/** Headers that every answer of the API carries, and one log line a request, without query values and bodies. */
export function answerHeaders(deps: ApiDeps): MiddlewareHandler {
  return async (c, next) => {
    const started = performance.now()
    const id = randomUUID().replaceAll('-', '')
    c.set('requestId', id)
    await next()
    const seconds = (performance.now() - started) / 1000
    const actor = c.get('actor') as Actor | undefined
    // Set on the response itself: the context's own way makes another response, with its body as a stream, for each of them.
    const { headers } = c.res
    headers.set('X-API-Product-Name', 'AWX')
    if (actor) headers.set('X-API-Product-Version', productVersion)
    headers.set('X-API-Node', deps.nodeName)
    headers.set('X-API-Time', `${seconds.toFixed(3)}s`)
    headers.set('X-API-Total-Time', `${seconds.toFixed(3)}s`)
    headers.set('X-API-Request-Id', id)
    headers.set('Vary', 'Accept, Accept-Language, origin, Cookie')
    headers.set('Content-Language', 'en')
    headers.set('X-Content-Type-Options', 'nosniff')
    headers.set('X-Frame-Options', 'DENY')
    const { method, path } = c.req
    const parameters = [...new Set(new URL(c.req.url).searchParams.keys())]
    deps.log.info(
      { request: id, method, path, parameters, user: actor?.id, status: c.res.status, ms: Math.round(seconds * 1000) },
      'request',
    )
  }
}
