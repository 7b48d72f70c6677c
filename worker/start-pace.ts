import { SentStarts } from './sent-starts.ts'

/** Starts that may be under way at once: sent, and not yet taken up by a worker. What a worker's first tasks wait for stays this short. */
const mostUnderWay = 40

/**
 * The pace at which starts of workflows are sent. A server that is busy with starts hands out no first tasks of workflows, so a burst would keep every job of it
 * from reaching its queue, where alone its priority counts. So no more are sent than are taken up: the line is in the outbox, where order is kept.
 */
export class StartPace {
  readonly #underWay: SentStarts
  readonly #notBegun: (jobIds: readonly number[]) => Promise<number[]>

  /** `notBegun` tells which of these jobs no workflow has begun; `clock` is in milliseconds. */
  constructor(notBegun: (jobIds: readonly number[]) => Promise<number[]>, clock: () => number = Date.now) {
    this.#notBegun = notBegun
    this.#underWay = new SentStarts(clock)
  }

  /** Counts a start that is being sent. */
  sending(jobId: number): void {
    this.#underWay.add(jobId)
  }

  /** Whether so many more starts may be sent now. Asks the store only when there seems to be no room. */
  async hasRoomFor(starts: number): Promise<boolean> {
    const sent = this.#underWay.jobIds()
    if (sent.length + starts <= mostUnderWay) return true
    this.#underWay.keep(await this.#notBegun(sent))
    return this.#underWay.jobIds().length + starts <= mostUnderWay
  }
}
