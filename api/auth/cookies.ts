import type { Context } from 'hono'
import { setCookie } from 'hono/cookie'
import { csrfCookie, sessionToken } from './csrf.ts'
import { sessionCookie, sessionSeconds } from './sessions.ts'

/** Options of all our cookies; `Secure` wherever the browser came by TLS, also through a proxy that ends it. */
export function cookieOptions(c: Context) {
  const secure = new URL(c.req.url).protocol === 'https:' || c.req.header('x-forwarded-proto') === 'https'
  return { path: '/', sameSite: 'Lax', secure } as const
}

/** Cookies that are set on the context from now on join whatever response its handler returns. */
export function joinAnyResponse(c: Context): void {
  void c.res
}

/** The cookies of a session: its key, which scripts cannot read, and the CSRF token that they must send back. */
export function setSessionCookies(c: Context, key: string): void {
  joinAnyResponse(c)
  setCookie(c, sessionCookie, key, { ...cookieOptions(c), httpOnly: true, maxAge: sessionSeconds })
  setCookie(c, csrfCookie, sessionToken(key), cookieOptions(c))
  setCookie(c, 'userLoggedIn', 'true', cookieOptions(c))
}
