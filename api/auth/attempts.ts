import { ApiError } from '../errors.ts'

/** 429: too many wrong passwords for this user from this address. */
export class TooManyAttemptsError extends ApiError {
  constructor(retryAfterSeconds: number) {
    super(429, { detail: 'Too many failed logins. Try again later.' }, { 'Retry-After': String(retryAfterSeconds) })
  }
}

interface Failures {
  count: number
  until: number
}

/**
 * Bounds guessing of passwords per user and address: after `limit` failures within `windowMs` further tries are refused until the window
 * ends. Tries of one key run one after the other, so that many at once do not slip through before the first is counted.
 */
export class LoginAttempts {
  readonly #failures = new Map<string, Failures>()
  readonly #running = new Map<string, Promise<unknown>>()
  readonly #limit: number
  readonly #windowMs: number
  readonly #now: () => number

  constructor(now: () => number, limit = 10, windowMs = 60_000) {
    this.#now = now
    this.#limit = limit
    this.#windowMs = windowMs
  }

  /** Runs a check of a password and counts it when it says no. */
  async try(username: string, address: string, check: () => Promise<boolean>): Promise<boolean> {
    const key = `${username}\0${address}`
    const before = this.#running.get(key)
    const mine = (before ?? Promise.resolve()).catch(() => {}).then(() => this.#check(key, check))
    this.#running.set(key, mine)
    try {
      return await mine
    } finally {
      if (this.#running.get(key) === mine) this.#running.delete(key)
    }
  }

  async #check(key: string, check: () => Promise<boolean>): Promise<boolean> {
    const now = this.#now()
    const failures = this.#failures.get(key)
    if (failures && failures.until <= now) this.#failures.delete(key)
    else if (failures && failures.count >= this.#limit) {
      throw new TooManyAttemptsError(Math.ceil((failures.until - now) / 1000))
    }
    if (await check()) {
      this.#failures.delete(key)
      return true
    }
    this.#count(key, now)
    return false
  }

  #count(key: string, now: number): void {
    const failures = this.#failures.get(key) ?? { count: 0, until: now + this.#windowMs }
    this.#failures.set(key, { ...failures, count: failures.count + 1 })
    // Random user names must not fill the memory.
    if (this.#failures.size <= 10_000) return
    for (const [old, { until }] of this.#failures) if (until <= now) this.#failures.delete(old)
    const [oldest] = this.#failures.keys()
    if (this.#failures.size > 10_000 && oldest !== undefined) this.#failures.delete(oldest)
  }
}
