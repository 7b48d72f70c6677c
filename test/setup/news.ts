/** What the database tells of jobs, so that a test asks the API when there is something new and not ten times a second. */
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { channels } from '../../store/channel.ts'

/** After so long it is asked although nothing was told: what a job waits for is worked out as it is asked. */
const silenceMs = 500
/** Where nobody tells anything. */
const everyMs = 150
/** Output comes in many small pieces. */
const shortestMs = 40
/** Whoever waits for a job's end asks at least so often, whatever its row says. */
const endMs = 2_000

/** Listens to the database of one Mayfly; one that is embedded, away or restarted tells nothing, and whoever waits asks often instead. */
export class News {
  readonly #databaseUrl: string
  /** How often something was told, by job. */
  readonly #told = new Map<number, number>()
  readonly #waiting = new Map<number, Set<() => void>>()
  #listening: Promise<pg.Client | undefined> | undefined
  #looks: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(databaseUrl: string) {
    this.#databaseUrl = databaseUrl
  }

  /** A pause for a loop that looks at a job: resolves at the next news of it, at once if some came since the call before. */
  pauses(job: number): () => Promise<void> {
    let seen = this.#told.get(job) ?? 0
    return async () => {
      this.#listening ??= this.#listen()
      if (!(await this.#listening)) return sleep(everyMs)
      await sleep(shortestMs)
      if (this.#count(job) === seen) await this.#next(job)
      seen = this.#count(job)
    }
  }

  /**
   * A pause for a loop that asks the API whether a job has ended: resolves when its row says so, and now and then before. A job that prints has news many times a second, and an
   * answer of the API costs far more than a look at the row.
   */
  pausesUntilEnd(job: number): () => Promise<void> {
    const pause = this.pauses(job)
    return async () => {
      const latest = performance.now() + endMs
      do await pause()
      while (performance.now() < latest && (await this.#goesOn(job)))
    }
  }

  /** Whether the job's row says that it has not ended; false where nobody can be asked. */
  async #goesOn(job: number): Promise<boolean> {
    const look = async () => {
      const client = await this.#listening
      return client?.query('SELECT FROM unified_jobs WHERE id = $1 AND finished IS NULL', [job]).catch(() => undefined)
    }
    // A connection does one thing at a time.
    const found = this.#looks.then(look)
    this.#looks = found
    return (await found)?.rowCount === 1
  }

  async close(): Promise<void> {
    this.#closed = true
    await (await this.#listening)?.end().catch(() => {})
  }

  #count(job: number): number {
    return this.#told.get(job) ?? 0
  }

  async #next(job: number): Promise<void> {
    const waiting = this.#waiting.get(job) ?? new Set()
    this.#waiting.set(job, waiting)
    const { promise, resolve } = Promise.withResolvers<void>()
    const silence = setTimeout(resolve, silenceMs)
    waiting.add(resolve)
    await promise
    waiting.delete(resolve)
    clearTimeout(silence)
  }

  async #listen(): Promise<pg.Client | undefined> {
    if (!this.#databaseUrl.startsWith('postgres') || this.#closed) return undefined
    const client = new pg.Client({
      connectionString: this.#databaseUrl,
      connectionTimeoutMillis: 2_000,
      query_timeout: endMs,
    })
    // The next who waits tries again.
    const over = () => (this.#listening = undefined)
    client.on('error', over)
    client.on('end', over)
    client.on('notification', ({ payload }) => {
      const job = Number(payload)
      this.#told.set(job, this.#count(job) + 1)
      for (const resolve of this.#waiting.get(job) ?? []) resolve()
    })
    try {
      await client.connect()
      await client.query(`LISTEN ${channels.jobs}; LISTEN ${channels.events}`)
      return client
    } catch {
      setTimeout(over, 1_000).unref()
      await client.end().catch(() => {})
      return undefined
    }
  }
}
