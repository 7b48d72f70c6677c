import { channels } from '../store/channel.ts'
import type { Store } from '../store/database.ts'
import type { LeftLine, Moment } from '../store/left-lines.ts'
import type { DeepLines } from './deep-lines.ts'

/** How often lines are looked at even if nothing was notified. */
const sweepMs = 5_000
/** How soon after a place was given back it is looked whether lines that were full have room: once for all places of that time. */
const lookMs = 200
/** How many starts of a line that is refilled with care follow each sweep, whoever left it. */
const spare = 10

/** Who looks needs this of the others. */
export interface LineLooksDeps {
  store: Pick<Store, 'listen'>
  lines: Pick<DeepLines, 'holds' | 'lookAgain'>
  /** As in store/left-lines.ts. */
  leftLines(since: Moment | null): Promise<{ left: LeftLine[]; until: Moment }>
  /** Has the outbox claimed. */
  wake(): void
}

/** When lines that were full are looked at again, and who has left them by then. */
export class LineLooks {
  readonly #deps: LineLooksDeps
  #unlisten: (() => Promise<void>) | undefined
  #sweep: NodeJS.Timeout | undefined
  #soon: NodeJS.Timeout | undefined
  /** Of the last look; null: no line was known then. */
  #since: Moment | null = null
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
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined
      this.#look(0)
    }, lookMs)
  }

  #look(more: number): void {
    this.#pass = this.#pass.then(async () => {
      // While the store is away nothing is claimed either, and who claims says so.
      this.#deps.lines.lookAgain(await this.#left().catch(() => []), more)
      this.#deps.wake()
    })
  }

  async #left(): Promise<readonly LeftLine[]> {
    if (!this.#deps.lines.holds) {
      this.#since = null
      return []
    }
    const { left, until } = await this.#deps.leftLines(this.#since)
    this.#since = until
    return left
  }
}
