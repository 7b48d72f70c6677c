/** A start that nobody took up in this time counts no more: its worker is gone, or its job waits for something else first. */
const forgottenAfterMs = 10_000

/** Starts that one sender has sent and that have not arrived yet, as far as it knows. */
export class SentStarts {
  /** By job, when its start was sent. */
  readonly #sent = new Map<number, number>()
  readonly #clock: () => number

  /** `clock` is in milliseconds. */
  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** Jobs whose starts are on their way. */
  jobIds(): number[] {
    const before = this.#clock() - forgottenAfterMs
    for (const [jobId, at] of this.#sent) if (at <= before) this.#sent.delete(jobId)
    return [...this.#sent.keys()]
  }

  /** Counts a start that is being sent. */
  add(jobId: number): void {
    this.#sent.set(jobId, this.#clock())
  }

  /** Counts one no more: it did not arrive. */
  delete(jobId: number): void {
    this.#sent.delete(jobId)
  }

  /** Counts those alone that are on their way still. */
  keep(jobIds: readonly number[]): void {
    const still = new Set(jobIds)
    for (const jobId of this.#sent.keys()) if (!still.has(jobId)) this.#sent.delete(jobId)
  }
}
