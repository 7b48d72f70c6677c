import type { Logger } from 'pino'
import type { Database } from '../store/database.ts'
import { raiseStarved } from '../store/raise-starved.ts'
import { reasonOf } from './reason.ts'

/** How often it is looked whether a job starves. */
const sweepMs = 60_000

/** Looks now and then for jobs that would wait for ever behind more urgent ones, and has them moved to the head of their line. */
export class TurnSweep {
  readonly #db: Database
  readonly #log: Logger
  #timer: NodeJS.Timeout | undefined
  #pass: Promise<void> | undefined

  constructor(db: Database, log: Logger) {
    this.#db = db
    this.#log = log
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), sweepMs)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#pass
  }

  #look(): void {
    this.#pass ??= raiseStarved(this.#db)
      .then((jobs) => {
        if (jobs.length > 0) this.#log.info({ jobs }, 'jobs that waited for long were moved to the head of their line')
      })
      .catch((error) => this.#log.warn({ reason: reasonOf(error) }, 'jobs that starve could not be looked for'))
      .finally(() => {
        this.#pass = undefined
      })
  }
}
