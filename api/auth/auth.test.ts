import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hashPassword } from '../../store/passwords.ts'
import { sessions, tokens, users } from '../../store/schema/identity.ts'
import { adminPassword, openTestApp, type TestApp } from '../testing.ts'

const notProvided = {
  detail: 'Authentication credentials were not provided. To establish a login session, visit /api/login/.',
}

let app: TestApp
let now = Date.now()
let passwordHash: string
beforeAll(async () => {
  app = await openTestApp({ deps: { clock: () => now } })
  passwordHash = await hashPassword('ada-secret')
})
beforeEach(async () => {
  // Failures of the test before are forgotten by then.
  now += 120_000
  const { db } = app.store
  await db.delete(users).where(eq(users.username, 'ada'))
  await db.insert(users).values({ username: 'ada', passwordHash })
  await db.delete(sessions)
  await db.delete(tokens)
})
afterAll(() => app.close())

const me = (options: Parameters<TestApp['call']>[3]) => app.call('GET', '/api/v2/me/', undefined, options)

/** Cookies of a client, as a browser or awxkit keeps them. */
class Jar {
  readonly cookies = new Map<string, string>()

  async send(method: string, path: string, more: { body?: unknown; form?: string; csrf?: boolean } = {}) {
    const headers: Record<string, string> = {
      cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
    }
    if (more.csrf !== false && this.cookies.has('csrftoken'))
      headers['x-csrftoken'] = this.cookies.get('csrftoken') ?? ''
    const raw = more.form === undefined ? undefined : { text: more.form, type: 'application/x-www-form-urlencoded' }
    const answer = await app.call(method, path, more.body, { as: null, headers, raw })
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (/Max-Age=0/.test(cookie)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return answer
  }

  /** The requests with which awxkit logs in. */
  async login(password = adminPassword, username = 'admin') {
    await this.send('GET', '/api/')
    const form = new URLSearchParams({ username, password, next: '/api/' }).toString()
    return await this.send('POST', '/api/login/', { form })
  }
}

describe('Basic', () => {
  test('right, wrong and unknown', async () => {
    expect((await me({})).body.results[0].username).toBe('admin')
    for (const as of ['admin:wrong', 'nobody:x', 'ada:'])
      expect(await me({ as })).toMatchObject({ status: 401, body: notProvided })
  })

  test('a password may hold colons and letters of any script', async () => {
    await app.call('PATCH', '/api/v2/users/ada/', { password: 'a:b:ß' })
    expect((await me({ as: 'ada:a:b:ß' })).status).toBe(200)
  })

  test('a changed password counts at once, although the old one was just remembered', async () => {
    expect((await me({ as: 'ada:ada-secret' })).status).toBe(200)
    await app.call('PATCH', '/api/v2/users/ada/', { password: 'new-secret' })
    expect((await me({ as: 'ada:ada-secret' })).status).toBe(401)
    expect((await me({ as: 'ada:new-secret' })).status).toBe(200)
  })

  test('guessing is slowed down per user, and ends after a while', async () => {
    const guesses = await Promise.all(Array.from({ length: 12 }, (_, index) => me({ as: `ada:guess-${index}` })))
    expect(guesses.filter(({ status }) => status === 401)).toHaveLength(10)
    const [refused] = guesses.filter(({ status }) => status === 429)
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await me({ as: 'ada:ada-secret' })).status).toBe(429)
    expect((await me({})).status).toBe(200)
    now += 61_000
    expect((await me({ as: 'ada:ada-secret' })).status).toBe(200)
  })
})

describe('session', () => {
  test('logs in the way awxkit does', async () => {
    const jar = new Jar()
    const answer = await jar.login()
    expect(answer.status).toBe(302)
    expect(answer.headers.get('location')).toBe('/api/')
    expect(answer.headers.get('x-api-session-cookie-name')).toBe('awx_sessionid')
    expect(jar.cookies.get('userLoggedIn')).toBe('true')
    const cookie = answer.headers.getSetCookie().find((one) => one.startsWith('awx_sessionid='))
    expect(cookie).toMatch(/HttpOnly/)
    expect((await jar.send('GET', '/api/')).status).toBe(200)
    expect((await jar.send('GET', '/api/v2/me/')).body.results[0].username).toBe('admin')
    expect((await jar.send('POST', '/api/v2/organizations/', { body: { name: 'by session' } })).status).toBe(201)
  })

  test('unsafe calls need the CSRF token of this session', async () => {
    const jar = new Jar()
    await jar.login()
    const create = { body: { name: 'x' } }
    expect(await jar.send('POST', '/api/v2/organizations/', { ...create, csrf: false })).toMatchObject({
      status: 403,
      body: { detail: 'CSRF Failed: CSRF token missing.' },
    })
    // A cookie planted by another site of the domain does not help it.
    jar.cookies.set('csrftoken', 'planted')
    expect(await jar.send('POST', '/api/v2/organizations/', create)).toMatchObject({
      status: 403,
      body: { detail: "CSRF Failed: CSRF token from the 'X-Csrftoken' HTTP header incorrect." },
    })
  })

  test('login itself needs a token, and a right password', async () => {
    const jar = new Jar()
    expect((await jar.send('POST', '/api/login/', { form: 'username=admin&password=x' })).status).toBe(403)
    const wrong = await jar.login('wrong')
    expect(wrong.status).toBe(401)
    expect(wrong.headers.get('content-type')).toContain('text/html')
    expect(jar.cookies.has('awx_sessionid')).toBe(false)
  })

  test('never sends people elsewhere', async () => {
    for (const next of ['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:x']) {
      const jar = new Jar()
      await jar.send('GET', '/api/')
      const form = new URLSearchParams({ username: 'admin', password: adminPassword, next }).toString()
      expect((await jar.send('POST', '/api/login/', { form })).headers.get('location')).toBe('/api/')
    }
  })

  test('ends by logout, by time, and when the password changes elsewhere', async () => {
    const [out, late, changed] = [new Jar(), new Jar(), new Jar()]
    for (const jar of [out, late]) await jar.login()
    await changed.login('ada-secret', 'ada')
    expect((await out.send('GET', '/api/logout/')).status).toBe(302)
    expect((await out.send('GET', '/api/v2/me/')).status).toBe(401)
    await app.call('PATCH', '/api/v2/users/ada/', { password: 'other' })
    expect((await changed.send('GET', '/api/v2/me/')).status).toBe(401)
    expect((await late.send('GET', '/api/v2/me/')).status).toBe(200)
    await app.store.db.update(sessions).set({ expires: '2020-01-01 00:00:00+00' })
    expect((await late.send('GET', '/api/v2/me/')).status).toBe(401)
  })

  test('a session in use is prolonged', async () => {
    const jar = new Jar()
    await jar.login()
    const soon = new Date(Date.now() + 600_000).toISOString()
    await app.store.db.update(sessions).set({ expires: soon })
    const { headers } = await jar.send('GET', '/api/v2/me/')
    expect(headers.getSetCookie().some((cookie) => cookie.startsWith('awx_sessionid='))).toBe(true)
    const [row] = await app.store.db.select().from(sessions)
    expect(new Date(row?.expires ?? 0).getTime()).toBeGreaterThan(Date.now() + 1_700_000)
  })

  test('whoever changes the own password stays logged in', async () => {
    const jar = new Jar()
    await jar.login('ada-secret', 'ada')
    expect((await jar.send('PATCH', '/api/v2/users/ada/', { body: { password: 'changed' } })).status).toBe(200)
    expect((await jar.send('GET', '/api/v2/me/')).status).toBe(200)
  })

  test('stores no key', async () => {
    const jar = new Jar()
    await jar.login()
    const [row] = await app.store.db.select().from(sessions)
    expect(row?.keyHash).not.toBe(jar.cookies.get('awx_sessionid'))
  })
})

describe('tokens', () => {
  const bearer = (token: string) => ({ as: null, headers: { authorization: `Bearer ${token}` } })

  test('are shown once, work until they are deleted', async () => {
    const made = (await app.call('POST', '/api/v2/tokens/', { description: 'ci', application: null, scope: 'write' }))
      .body
    expect(made).toMatchObject({ user: 1, refresh_token: null, application: null, scope: 'write' })
    expect((await me(bearer(made.token))).body.results[0].username).toBe('admin')
    expect((await app.call('GET', made.url)).body.token).toBe('************')
    const [row] = await app.store.db.select().from(tokens)
    expect(row?.tokenHash).not.toContain(made.token)
    expect((await app.call('DELETE', made.url)).status).toBe(204)
    expect((await me(bearer(made.token))).status).toBe(401)
  })

  test('awx login: a personal token below a user’s name', async () => {
    const { status, body } = await app.call(
      'POST',
      '/api/v2/users/ada/personal_tokens/',
      { description: 'AWX CLI' },
      { as: 'ada:ada-secret' },
    )
    expect(status).toBe(201)
    expect((await me(bearer(body.token))).body.results[0].username).toBe('ada')
  })

  test('are always the caller’s own', async () => {
    const { body } = await app.call('POST', '/api/v2/users/ada/personal_tokens/', {})
    expect((await me(bearer(body.token))).body.results[0].username).toBe('admin')
    expect((await app.call('POST', '/api/v2/users/admin/personal_tokens/', {}, { as: 'ada:ada-secret' })).status).toBe(
      404,
    )
  })

  test('scope read reads, and changes nothing', async () => {
    const { token } = (await app.call('POST', '/api/v2/tokens/', { scope: 'read' })).body
    expect((await me(bearer(token))).status).toBe(200)
    expect((await app.call('POST', '/api/v2/tokens/', {}, bearer(token))).status).toBe(403)
  })

  test('end', async () => {
    const { token, id } = (await app.call('POST', '/api/v2/tokens/', {})).body
    await app.store.db.update(tokens).set({ expires: '2020-01-01 00:00:00+00' }).where(eq(tokens.id, id))
    expect((await me(bearer(token))).status).toBe(401)
  })
})
