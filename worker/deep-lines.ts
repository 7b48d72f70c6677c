import type { FoundLines, KnownLine, Lines, StartLine } from '../store/claim-outbox.ts'
import type { OutboxRow } from '../store/outbox.ts'
import { SentStarts } from './sent-starts.ts'

/** Of the starts that a full line had no room for, so many at most may still follow: jobs leave their line a moment after they took their place. */
const mostCarried = 40

/** What is known of a line that was full. */
interface Known {
  line: StartLine
  /** How many more starts of it may be sent. */
  allowance: number
  /** It was full when it was looked at last. */
  isFull: boolean
}

/**
 * What one sender knows of lines that are too long to send all of them: which were full when it looked, how many starts of each it may send since, and which starts it sent that do not stand in their
 * line yet. What decides is counted in the store by each claim; several senders make a line longer than it should be by no more than each has on its way.
 *
 * A line that is not known fills up at once. One that was full gets no more than what it is allowed by each look, whatever its room: jobs that are cancelled make room, too, and what is sent
 * instead of them is mostly to be cancelled as well.
 */
export class DeepLines implements Lines {
  readonly depth: number
  readonly #known = new Map<string, Known>()
  readonly #sent: SentStarts

  /** `clock` is in milliseconds. */
  constructor(depth: number, clock: () => number = Date.now) {
    this.depth = depth
    this.#sent = new SentStarts(clock)
  }

  known(): readonly KnownLine[] {
    return [...this.#known.values()].map(({ line, allowance, isFull }) => ({
      ...line,
      allowance: isFull ? 0 : allowance,
    }))
  }

  sent(): readonly number[] {
    return this.#sent.jobIds()
  }

  found({ full, over, onTheWay }: FoundLines): void {
    for (const line of over) this.#known.delete(keyOf(line))
    for (const line of full) {
      const allowance = Math.max(0, this.#known.get(keyOf(line))?.allowance ?? 0)
      this.#known.set(keyOf(line), { line, allowance: Math.min(allowance, mostCarried), isFull: true })
    }
    this.#sent.keep(onTheWay)
  }

  /** Counts starts that are being sent. */
  sending(rows: readonly Pick<OutboxRow, 'urgency' | 'organizationId' | 'line' | 'subjectId'>[]): void {
    for (const row of rows) {
      if (row.line === '') continue
      this.#sent.add(row.subjectId)
      const known = this.#known.get(keyOf(row))
      if (known) known.allowance -= 1
    }
  }

  /** Counts one no more: it did not arrive. */
  failed(jobId: number): void {
    this.#sent.delete(jobId)
  }

  /** Whether a line is known, so that there is something to look at. */
  get holds(): boolean {
    return this.#known.size > 0
  }

  /** Has the next claims look at every line again, and allows so many more starts of each that was full. */
  lookAgain(allowance: number): void {
    for (const known of this.#known.values()) {
      known.allowance += allowance
      known.isFull = false
    }
  }
}

const keyOf = ({ urgency, organizationId, line }: StartLine) => [urgency, organizationId, line].join()
