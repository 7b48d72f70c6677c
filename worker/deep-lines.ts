import type { FoundLines, KnownLine, Lines, StartLine } from '../store/claim-outbox.ts'
import type { LeftLine } from '../store/left-lines.ts'
import type { OutboxRow } from '../store/outbox.ts'
import { SentStarts } from './sent-starts.ts'

/** Of the starts that a full line had no room for, so many at most may still follow: jobs leave their line a moment after they took their place. */
const mostCarried = 40
/** Of a line in which jobs were cancelled as many starts follow as left it otherwise, and one in so many more, so that it grows as it is served. */
const growsByOneIn = 4
/** For so long a line is refilled with care after jobs of it were cancelled. */
const carefulMs = 600_000

/** What is known of a line that was full. */
interface Known {
  line: StartLine
  /** How many more starts of it may be sent, if it is refilled with care. */
  allowance: number
  /** It was full when it was looked at last. */
  isFull: boolean
  /** When a job of it was last seen to have been cancelled; null: none was. */
  canceledAt: number | null
}

/**
 * What one sender knows of lines that are too long to send all of them: which were full when it looked, how many starts of each it may send since, and which starts it sent that do not stand in their
 * line yet. What decides is counted in the store by each claim; several senders make a line longer than it should be by no more than each has on its way.
 *
 * A line fills up at once as it has room. But jobs that are cancelled make room, too, and who cancels them is mostly about to cancel those that were sent instead. So a line whose jobs were cancelled is
 * refilled with care: as many are sent as left it otherwise, and a few more, so that it grows again as it is served.
 */
export class DeepLines implements Lines {
  readonly depth: number
  readonly #known = new Map<string, Known>()
  readonly #sent: SentStarts
  readonly #clock: () => number

  /** `clock` is in milliseconds. */
  constructor(depth: number, clock: () => number = Date.now) {
    this.depth = depth
    this.#sent = new SentStarts(clock)
    this.#clock = clock
  }

  known(): readonly KnownLine[] {
    const careful = this.#clock() - carefulMs
    return [...this.#known.values()].map(({ line, allowance, isFull, canceledAt }) => {
      if (isFull) return { ...line, allowance: 0 }
      return { ...line, allowance: canceledAt !== null && canceledAt > careful ? Math.max(0, allowance) : null }
    })
  }

  sent(): readonly number[] {
    return this.#sent.jobIds()
  }

  found({ full, over, onTheWay }: FoundLines): void {
    for (const line of over) this.#known.delete(keyOf(line))
    for (const line of full) {
      const { allowance, canceledAt } = this.#known.get(keyOf(line)) ?? { allowance: 0, canceledAt: null }
      const carried = Math.min(Math.max(0, allowance), mostCarried)
      this.#known.set(keyOf(line), { line, allowance: carried, isFull: true, canceledAt })
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

  /** Has the next claims look at every line again; `left`: who left them since the look before; `spare`: how many starts of each may follow whoever left it. */
  lookAgain(left: readonly LeftLine[], spare: number): void {
    const leavers = new Map(left.map((line) => [keyOf(line), line]))
    for (const [key, known] of this.#known) {
      const { served, canceled } = leavers.get(key) ?? { served: 0, canceled: 0 }
      if (canceled > 0) known.canceledAt = this.#clock()
      known.allowance = Math.max(0, known.allowance) + served + Math.ceil(served / growsByOneIn) + spare
      known.isFull = false
    }
  }
}

const keyOf = ({ urgency, organizationId, line }: StartLine) => [urgency, organizationId, line].join()
