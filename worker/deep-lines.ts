import type { Lines, StartLine } from '../store/claim-outbox.ts'
import type { OutboxRow } from '../store/outbox.ts'
import { SentStarts } from './sent-starts.ts'

/**
 * What one sender knows of lines that are too long to send all of them: which were full when it last looked, and which starts it sent that do not stand in their line yet. What decides is counted in
 * the store by each claim; several senders make a line longer than it should be by no more than each has on its way.
 */
export class DeepLines implements Lines {
  readonly depth: number
  readonly #full = new Map<string, StartLine>()
  readonly #sent: SentStarts

  /** `clock` is in milliseconds. */
  constructor(depth: number, clock: () => number = Date.now) {
    this.depth = depth
    this.#sent = new SentStarts(clock)
  }

  full(): readonly StartLine[] {
    return [...this.#full.values()]
  }

  sent(): readonly number[] {
    return this.#sent.jobIds()
  }

  found(full: readonly StartLine[], onTheWay: readonly number[]): void {
    for (const line of full) this.#full.set(Object.values(line).join(), line)
    this.#sent.keep(onTheWay)
  }

  /** Counts starts that are being sent. */
  sending(rows: readonly Pick<OutboxRow, 'line' | 'subjectId'>[]): void {
    for (const { line, subjectId } of rows) if (line !== '') this.#sent.add(subjectId)
  }

  /** Counts one no more: it did not arrive. */
  failed(jobId: number): void {
    this.#sent.delete(jobId)
  }

  /** Whether a line was full when last looked at, so that there is something to look at. */
  get holds(): boolean {
    return this.#full.size > 0
  }

  /** Has the next claim look at every line again. */
  lookAgain(): void {
    this.#full.clear()
  }
}
