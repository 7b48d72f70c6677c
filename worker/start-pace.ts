/** Starts that may be under way at once: sent, and not yet taken up by a worker. What a worker's first tasks wait for stays this short. */
const mostUnderWay = 40
/** A start that nobody took up in this time counts no more: its worker is gone, or the job waits for something else before it begins. */
const forgottenAfterMs = 10_000

/**
 * The pace at which starts of workflows are sent. A server that is busy with starts hands out no first tasks of workflows, so a burst would keep every job of it
 * from reaching its queue, where alone its priority counts. So no more are sent than are taken up: the line is in the outbox, where order is kept.
 */
export class StartPace {
  /** By job, when its start was sent. */
  readonly #underWay = new Map<number, number>()
  readonly #notBegun: (jobIds: readonly number[]) => Promise<number[]>
  readonly #clock: () => number

  /** `notBegun` tells which of these jobs no workflow has begun; `clock` is in milliseconds. */
  constructor(notBegun: (jobIds: readonly number[]) => Promise<number[]>, clock: () => number = Date.now) {
    this.#notBegun = notBegun
    this.#clock = clock
  }

  /** Counts a start that is being sent. */
  sending(jobId: number): void {
    this.#underWay.set(jobId, this.#clock())
  }

  /** Whether so many more starts may be sent now. Asks the store only when there seems to be no room. */
  async hasRoomFor(starts: number): Promise<boolean> {
    if (this.#underWay.size + starts <= mostUnderWay) return true
    const waiting = new Set(await this.#notBegun([...this.#underWay.keys()]))
    const now = this.#clock()
    for (const [jobId, since] of this.#underWay) {
      if (!waiting.has(jobId) || now - since >= forgottenAfterMs) this.#underWay.delete(jobId)
    }
    return this.#underWay.size + starts <= mostUnderWay
  }
}
