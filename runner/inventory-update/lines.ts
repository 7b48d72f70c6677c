import { randomUUID } from 'node:crypto'
import { StringDecoder } from 'node:string_decoder'
import type { EventRow } from '../../model/event.ts'
import { toEventRow } from '../event.ts'
import type { Redactor } from '../redact.ts'

/** Stores rows in order; awaited before the next. */
export type EmitRows = (rows: EventRow[]) => Promise<void>

/** How much output is kept; a script can print without end. */
const mostBytes = 16 * 1024 * 1024
/** Lines are stored together that come within this time. */
const batchMs = 200
const longestLine = 64 * 1024

/** The event of one line of output that belongs to no play, as the runner makes it; `counter` from 1, `line` from 0. */
export function lineEvent(text: string, counter: number, line: number): EventRow {
  return toEventRow({
    event: 'verbose',
    uuid: randomUUID(),
    counter,
    stdout: text,
    start_line: line,
    end_line: line + 1,
    created: new Date().toISOString(),
    event_data: {},
  })
}

/** Tells the output of a program line by line, as events with gapless counters and lines, a few times a second. */
export class LineTeller {
  readonly #emit: EmitRows
  readonly #redactor: Redactor
  readonly #rests = { stdout: '', stderr: '' }
  readonly #decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') }
  #waiting: EventRow[] = []
  #told = 0
  #bytes = 0
  #timer: NodeJS.Timeout | undefined
  #storing: Promise<void> = Promise.resolve()
  #failure: unknown

  constructor(emit: EmitRows, redactor: Redactor) {
    this.#emit = emit
    this.#redactor = redactor
  }

  /** Lines told so far, which is also the last counter. */
  get count(): number {
    return this.#told
  }

  /** Takes what a program printed on one of its streams. */
  take(piece: Buffer, stream: 'stdout' | 'stderr'): void {
    const lines = (this.#rests[stream] + this.#decoders[stream].write(piece)).split(/\r?\n/)
    this.#rests[stream] = (lines.pop() ?? '').slice(0, longestLine)
    for (const line of lines) this.tell(line)
  }

  /** Tells one line. */
  tell(line: string): void {
    if (this.#bytes > mostBytes) return
    this.#bytes += line.length
    const text = this.#bytes > mostBytes ? '[the rest of the output is left out]' : line.slice(0, longestLine)
    this.#told += 1
    this.#waiting.push(lineEvent(this.#redactor.redact(text), this.#told, this.#told - 1))
    this.#timer ??= setTimeout(() => this.#store(), batchMs)
  }

  /** Resolves when everything told is stored, unfinished lines too. Rejects with what storing failed with. */
  async end(): Promise<void> {
    for (const stream of ['stdout', 'stderr'] as const) {
      const rest = this.#rests[stream] + this.#decoders[stream].end()
      this.#rests[stream] = ''
      if (rest !== '') this.tell(rest)
    }
    this.#store()
    await this.#storing
    if (this.#failure !== undefined) throw this.#failure
  }

  #store(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const rows = this.#waiting
    this.#waiting = []
    if (rows.length === 0) return
    this.#storing = this.#storing
      .then(() => this.#emit(rows))
      .catch((error: unknown) => {
        this.#failure ??= error
      })
  }
}
