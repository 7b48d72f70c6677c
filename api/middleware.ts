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
    // Made now, so that cookies set on the context join whatever response a handler returns.
    void c.res
    await next()
    const seconds = (performance.now() - started) / 1000
    const actor = c.get('actor') as Actor | undefined
    c.header('X-API-Product-Name', 'AWX')
    if (actor) c.header('X-API-Product-Version', productVersion)
    c.header('X-API-Node', deps.nodeName)
    c.header('X-API-Time', `${seconds.toFixed(3)}s`)
    c.header('X-API-Total-Time', `${seconds.toFixed(3)}s`)
    c.header('X-API-Request-Id', id)
    c.header('Vary', 'Accept, Accept-Language, origin, Cookie')
    c.header('Content-Language', 'en')
    c.header('X-Content-Type-Options', 'nosniff')
    c.header('X-Frame-Options', 'DENY')
    const { method, path } = c.req
    const parameters = [...new Set(new URL(c.req.url).searchParams.keys())]
    deps.log.info(
      { request: id, method, path, parameters, user: actor?.id, status: c.res.status, ms: Math.round(seconds * 1000) },
      'request',
    )
  }
}
