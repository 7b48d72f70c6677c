import { randomUUID } from 'node:crypto'
import type { Logger } from 'pino'
import type { Store } from '../store/database.ts'
import { forgetWorkers, signMs, signWorker } from '../store/workers.ts'

/** Says every few seconds that this worker is there: one small statement, by which a job that waits in vain can say that nobody works. */
export class Presence {
  readonly #id = randomUUID()
  readonly #store: Store
  readonly #nodeName: string
  readonly #log: Logger
  #timer: NodeJS.Timeout | undefined
  #signing: Promise<void> = Promise.resolve()

  constructor(store: Store, nodeName: string, log: Logger) {
    this.#store = store
    this.#nodeName = nodeName
    this.#log = log
  }

  async start(): Promise<void> {
    await forgetWorkers(this.#store.db)
    await signWorker(this.#store.db, this.#id, this.#nodeName)
    this.#timer = setInterval(() => {
      this.#signing = signWorker(this.#store.db, this.#id, this.#nodeName).catch((error) =>
        this.#log.debug({ reason: String(error) }, 'could not say that this worker is there'),
      )
    }, signMs)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#signing
  }
}
