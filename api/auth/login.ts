import type { Context, Hono } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { readText } from '../body.ts'
import type { ApiDeps } from '../context.ts'
import { errorResponse, htmlPage, toApiError } from '../error-response.ts'
import { type Authenticator, clientAddress } from './authenticate.ts'
import { cookieOptions, joinAnyResponse, setSessionCookies } from './cookies.ts'
import { CsrfError, checkToken, csrfCookie, newToken, sessionToken } from './csrf.ts'
import { endSession, sessionCookie, startSession } from './sessions.ts'

/** Gives the client its CSRF token, as `GET /api/` must. */
export function ensureCsrfCookie(c: Context): string {
  const session = getCookie(c, sessionCookie)
  const token = session ? sessionToken(session) : (getCookie(c, csrfCookie) ?? newToken())
  joinAnyResponse(c)
  setCookie(c, csrfCookie, token, cookieOptions(c))
  return token
}

/** `/api/login/` and `/api/logout/`: session login by form, the way awxkit and browsers do it. */
export function serveLogin(app: Hono, deps: ApiDeps, authenticator: Authenticator): void {
  app.get('/api/login/', (c) => {
    if (!/text\/html|\*\/\*/.test(c.req.header('accept') ?? '*/*')) return new Response(null, { status: 406 })
    return loginPage(200, ensureCsrfCookie(c), safeNext(c.req.query('next') ?? null))
  })
  app.post('/api/login/', async (c) => {
    try {
      return await login(c, deps, authenticator)
    } catch (error) {
      if (error instanceof CsrfError) return htmlPage(403, '403 Forbidden')
      return errorResponse(toApiError(error, deps.log))
    }
  })
  app.on(['GET', 'POST'], '/api/logout/', async (c) => {
    const key = getCookie(c, sessionCookie)
    if (key) {
      await endSession(deps.store.db, key)
      deleteCookie(c, sessionCookie, { path: '/' })
    }
    setCookie(c, 'userLoggedIn', 'false', { path: '/' })
    return c.redirect('/api/', 302)
  })
}

async function login(c: Context, deps: ApiDeps, authenticator: Authenticator): Promise<Response> {
  const form = new URLSearchParams(await readText(c.req.raw))
  checkToken(getCookie(c, csrfCookie), c.req.header('x-csrftoken') ?? form.get('csrfmiddlewaretoken') ?? undefined)
  const user = await authenticator.checkPassword(
    form.get('username') ?? '',
    form.get('password') ?? '',
    clientAddress(c),
  )
  if (!user) return loginPage(401, ensureCsrfCookie(c), safeNext(form.get('next')))
  setSessionCookies(c, await startSession(deps.store.db, user.id))
  return new Response(null, {
    status: 302,
    headers: { Location: safeNext(form.get('next')), 'X-API-Session-Cookie-Name': sessionCookie },
  })
}

/** Only a path of ours: a login must not send people to another site. */
function safeNext(next: string | null): string {
  return next !== null && /^\/(?![/\\])[^\\\s]*$/.test(next) ? next : '/api/'
}

function loginPage(status: number, token: string, next: string): Response {
  const escaped = next.replace(/[&"<>]/g, (character) => `&#${character.charCodeAt(0)};`)
  return htmlPage(
    status,
    'Log in',
    `<form method="post" action="/api/login/"><input type="hidden" name="csrfmiddlewaretoken" value="${token}">
<input type="hidden" name="next" value="${escaped}"><label>User name <input name="username" autocomplete="username"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label><button>Log in</button></form>`,
  )
}
