import { and, eq, sql } from 'drizzle-orm'
import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import { createPasswordVerifier } from '../../store/passwords.ts'
import { preparedOn } from '../../store/prepared.ts'
import { tokens, users } from '../../store/schema/identity.ts'
import type { Actor, ApiDeps } from '../context.ts'
import { LoginAttempts } from './attempts.ts'
import { setSessionCookies } from './cookies.ts'
import { checkToken, sessionToken } from './csrf.ts'
import { findSession, hashSecret, sessionCookie, type UserRow } from './sessions.ts'

/** Finds out who asks: Basic, Bearer token or session cookie. */
export interface Authenticator {
  /** The caller; undefined without or with wrong credentials, which AWX does not tell apart. Throws CsrfError, TooManyAttemptsError. */
  identify(c: Context): Promise<Actor | undefined>
  /** Checks a user name and password, counting failures. */
  checkPassword(username: string, password: string, address: string): Promise<UserRow | undefined>
}

const userByName = preparedOn((db) =>
  db
    .select()
    .from(users)
    .where(eq(users.username, sql.placeholder('username')))
    .prepare('user_by_name'),
)

/** A token's last use is written at most this often. */
const lastUsedSeconds = 60

/** Makes the authenticator of a process; it counts failed logins. */
export function createAuthenticator({ store, clock = Date.now }: ApiDeps): Authenticator {
  const verify = createPasswordVerifier({ now: clock })
  const attempts = new LoginAttempts(clock)

  async function checkPassword(username: string, password: string, address: string): Promise<UserRow | undefined> {
    const [user] = await userByName(store.db).execute({ username })
    const good = await attempts.try(username, address, () => verify(user?.passwordHash ?? null, password))
    return good ? user : undefined
  }

  async function byToken(token: string): Promise<Actor | undefined> {
    const [found] = await store.db
      .select({
        user: users,
        id: tokens.id,
        scope: tokens.scope,
        stale: sql<boolean>`${tokens.lastUsed} is null or ${tokens.lastUsed} < now() - make_interval(secs => ${lastUsedSeconds})`,
      })
      .from(tokens)
      .innerJoin(users, eq(users.id, tokens.userId))
      .where(and(eq(tokens.tokenHash, hashSecret(token)), sql`${tokens.expires} > now()`))
    if (!found) return undefined
    if (found.stale) {
      await store.db.update(tokens).set({ lastUsed: sql`now()` }).where(eq(tokens.id, found.id))
    }
    return toActor(found.user, 'token', found.scope.split(' ').includes('write') ? 'write' : 'read')
  }

  async function bySession(c: Context, key: string): Promise<Actor | undefined> {
    const session = await findSession(store.db, key)
    if (!session) return undefined
    if (!['GET', 'HEAD', 'OPTIONS', 'TRACE'].includes(c.req.method))
      checkToken(sessionToken(key), c.req.header('x-csrftoken'))
    if (session.renewed) setSessionCookies(c, key)
    return { ...toActor(session.user, 'session', 'write'), sessionKey: key }
  }

  return {
    checkPassword,
    async identify(c) {
      const [scheme = '', credentials = ''] = (c.req.header('authorization') ?? '').split(/\s+/, 2)
      if (scheme.toLowerCase() === 'bearer') return await byToken(credentials)
      if (scheme.toLowerCase() === 'basic') {
        const [, username = '', password = ''] =
          /^([^:]*):(.*)$/s.exec(Buffer.from(credentials, 'base64').toString('utf8')) ?? []
        const user =
          username === '' || username.includes('\0')
            ? undefined
            : await checkPassword(username, password, clientAddress(c))
        return user && toActor(user, 'basic', 'write')
      }
      const key = getCookie(c, sessionCookie)
      return key ? await bySession(c, key) : undefined
    },
  }
}

function toActor(user: UserRow, via: Actor['via'], scope: Actor['scope']): Actor {
  const { id, username, firstName, lastName, isSuperuser, isSystemAuditor } = user
  return { id, username, firstName, lastName, isSuperuser, isSystemAuditor, via, scope }
}

/** Address of the peer; requests made in the process have none. */
export function clientAddress(c: Context): string {
  const env = c.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined
  return env?.incoming?.socket?.remoteAddress ?? ''
}
