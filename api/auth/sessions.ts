import { createHash, randomBytes } from 'node:crypto'
import { and, eq, lt, ne, sql } from 'drizzle-orm'
import { sessions, users } from '../../store/schema/identity.ts'
import type { Sql } from '../context.ts'

/** Name of the session cookie, announced in X-API-Session-Cookie-Name. */
export const sessionCookie = 'awx_sessionid'
/** How long an unused session lives (AWX's SESSION_COOKIE_AGE). */
export const sessionSeconds = 1800
/** A session in use is prolonged when it is this old, rather than on every call. */
const renewAfterSeconds = 60

/** A user as stored. */
export type UserRow = typeof users.$inferSelect

/** Only the hash of a cookie or token is stored. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** Starts a session and returns the cookie's value; sweeps sessions that have ended. */
export async function startSession(db: Sql, userId: number): Promise<string> {
  const key = randomBytes(32).toString('base64url')
  await db.delete(sessions).where(lt(sessions.expires, sql`now()`))
  await db.insert(sessions).values({ keyHash: hashSecret(key), userId, expires: fromNow() })
  await db.update(users).set({ lastLogin: sql`now()` }).where(eq(users.id, userId))
  return key
}

/** The user of a live session. `renewed` tells that it was prolonged, so that the cookie should be too. */
export async function findSession(db: Sql, key: string): Promise<{ user: UserRow; renewed: boolean } | undefined> {
  const keyHash = hashSecret(key)
  const [found] = await db
    .select({
      user: users,
      stale: sql<boolean>`${sessions.expires} < now() + make_interval(secs => ${sessionSeconds - renewAfterSeconds})`,
    })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(and(eq(sessions.keyHash, keyHash), sql`${sessions.expires} > now()`))
  if (!found) return undefined
  if (found.stale) await db.update(sessions).set({ expires: fromNow() }).where(eq(sessions.keyHash, keyHash))
  return { user: found.user, renewed: found.stale }
}

/** Logs out. */
export async function endSession(db: Sql, key: string): Promise<void> {
  await db.delete(sessions).where(eq(sessions.keyHash, hashSecret(key)))
}

/** A changed password ends the user's sessions, but for the one that changed it. */
export async function endOtherSessions(db: Sql, userId: number, keptKey: string | undefined): Promise<void> {
  const kept = keptKey === undefined ? undefined : ne(sessions.keyHash, hashSecret(keptKey))
  await db.delete(sessions).where(and(eq(sessions.userId, userId), kept))
}

function fromNow() {
  return sql`now() + make_interval(secs => ${sessionSeconds})`
}
