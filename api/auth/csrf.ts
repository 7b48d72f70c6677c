import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { ApiError } from '../errors.ts'

/** Name of the cookie that holds the token for scripts to send back. */
export const csrfCookie = 'csrftoken'

/** 403 of an unsafe call by session without the right token. */
export class CsrfError extends ApiError {
  constructor(reason: string) {
    super(403, { detail: `CSRF Failed: ${reason}` })
  }
}

/**
 * Token of a session. It follows from the session's secret, so that a cookie planted by a sibling domain is of no use; before there is a
 * session the token is random and only has to come back.
 */
export function sessionToken(sessionKey: string): string {
  return createHash('sha256').update(`csrf:${sessionKey}`).digest('hex')
}

/** A random token, for those who have no session yet. */
export function newToken(): string {
  return randomBytes(32).toString('hex')
}

/** Compares in constant time. */
export function checkToken(expected: string | undefined, given: string | undefined): void {
  if (expected === undefined) throw new CsrfError('CSRF cookie not set.')
  if (given === undefined || given === '') throw new CsrfError('CSRF token missing.')
  const [a, b] = [Buffer.from(expected), Buffer.from(given)]
  if (a.length !== b.length || !timingSafeEqual(a, b)) {
    throw new CsrfError("CSRF token from the 'X-Csrftoken' HTTP header incorrect.")
  }
}
