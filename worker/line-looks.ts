import { channels } from '../store/channel.ts'
import type { Store } from '../store/database.ts'
import type { PlacesTaken } from '../store/places-taken.ts'
import type { DeepLines } from './deep-lines.ts'

/** How often lines are looked at even if nothing was notified. */
const sweepMs = 5_000
/** How soon after a place was given back it is looked whether lines that were full have room: once for all places of that time. */
const lookMs = 200
/** How many starts of a line that was full are sent by each sweep beside those for which jobs took places: for whoever left it otherwise. */
const spare = 40

/** Who looks needs this of the others. */
export interface LineLooksDeps {
  store: Pick<Store, 'listen'>
  lines: Pick<DeepLines, 'holds' | 'lookAgain'>
  /** As in store/places-taken.ts. */
  placesTaken(since: number | null): Promise<PlacesTaken>
  /** Has the outbox claimed. */
  wake(): void
}

/**
 * When lines that were full are looked at again, and how many more starts of each are then to be sent: as many as took a place since the look before, or for as many as a place was given back. That is how
 * many left the line at most by getting a place, whichever line it was. Of those that left it otherwise, which are mostly cancelled, only a few are replaced, until all are in time.
 */
export class LineLooks {
  readonly #deps: LineLooksDeps
  #unlisten: (() => Promise<void>) | undefined
  #sweep: NodeJS.Timeout | undefined
  #soon: NodeJS.Timeout | undefined
  /** Places that were given back since the last look. */
  #givenBack = 0
  /** The newest attempt at the last look; null: no line was known then. */
  #last: number | null = null
  #pass: Promise<void> = Promise.resolve()

  constructor(deps: LineLooksDeps) {
    this.#deps = deps
  }

  async start(): Promise<void> {
    this.#unlisten = await this.#deps.store.listen(channels.groups, () => this.#placeFreed())
    this.#sweep = setInterval(() => this.#look(spare), sweepMs)
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweep)
    await this.#unlisten?.()
    clearTimeout(this.#soon)
    await this.#pass
  }

  /** A job takes the place and leaves its line, or a group was changed: starts that rest may have room. */
  #placeFreed(): void {
    if (!this.#deps.lines.holds) return
    this.#givenBack += 1
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined
      this.#look(0)
    }, lookMs)
  }

  #look(more: number): void {
    const givenBack = this.#givenBack
    this.#givenBack = 0
    this.#pass = this.#pass.then(async () => {
      // While the store is away nothing is claimed either, and who claims says so.
      const taken = await this.#taken().catch(() => 0)
      this.#deps.lines.lookAgain(Math.max(taken, givenBack) + more)
      this.#deps.wake()
    })
  }

  async #taken(): Promise<number> {
    if (!this.#deps.lines.holds) {
      this.#last = null
      return 0
    }
    const { taken, last } = await this.#deps.placesTaken(this.#last)
    this.#last = last
    return taken
  }
}
