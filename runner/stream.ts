import { abridgedEvent } from './abridged-event.ts'
import { ArtifactsDamagedError, ArtifactsDecoder } from './artifacts-decoder.ts'
import { LineBuffer, type LineLimits, type TakenLine } from './line-buffer.ts'
import { decodeEscaped, storableText } from './text.ts'

/** One JSON line of the runner as it came; its keys are ansible-runner's. */
export type RunnerMessage = Record<string, unknown>

/** An event line: `event`, `uuid` and `counter` are proven, the rest is read by runner/event.ts. */
export interface RunnerEvent extends RunnerMessage {
  event: string
  uuid: string
  counter: number
}

/** A status line: starting, running, then one of successful, failed, canceled, timeout, error. */
export interface RunnerStatus extends RunnerMessage {
  status: string
}

/**
 * What the spool is made of. `end` is the offset right after the last whole record: a reader constructed with it goes on without loss. An
 * artifacts zip is one record, so `end` of `artifacts-begin` and `artifacts-data` is still the offset before the zip; `artifacts-end` passes it.
 */
export type SpoolRecord = { end: number } & (
  | { kind: 'status'; status: RunnerStatus }
  | { kind: 'event'; event: RunnerEvent }
  /** The zip begins, maybe again: drop what was kept of an earlier, unfinished one. `size` in bytes of the zip itself. */
  | { kind: 'artifacts-begin'; size: number }
  | { kind: 'artifacts-data'; data: Buffer }
  /** The zip is complete; `size` bytes were handed out. */
  | { kind: 'artifacts-end'; size: number }
  | { kind: 'eof' }
  | { kind: 'keepalive' }
  /** A line that is none of the runner's: its beginning, kept for people to read. `raw` is without its line end. */
  | { kind: 'noise'; text: string; raw: Buffer }
  /** The spool contradicts itself. An event after a gap still follows, a repeated one does not; a damaged zip has no `artifacts-end`. */
  | { kind: 'damage'; error: CounterGapError | ArtifactsDamagedError }
)

/** An event's counter is not the one that must follow: output is missing, or comes from another run. */
export class CounterGapError extends Error {
  override name = 'CounterGapError'
  readonly expected: number
  readonly found: number
  constructor(expected: number, found: number) {
    super(`The runner's output is damaged: event ${found} came where event ${expected} must follow`)
    this.expected = expected
    this.found = found
  }
}

const newline = 0x0a
/** A play may print any amount at once. Parsing and storing a line takes several times its length, so of longer ones the output is abridged. */
const lineLimits: LineLimits = { whole: 32 << 20, head: 1 << 20, tail: 4 << 20 }
/** How much of a line that means nothing to us is kept. */
const longestNoise = 4096

/** Turns the spool's bytes, cut anywhere, into records. Time is linear in the bytes, memory is that of the longest line. */
export class SpoolReader {
  /** Offset right after the last whole record, and right after the last byte seen. */
  #committed: number
  #position: number
  #lastCounter: number
  readonly #unfinished: LineBuffer
  #zip: ArtifactsDecoder | null = null

  /** `offset` and `lastCounter` are those stored with the last record; `limits` is for tests. */
  constructor(options: { offset?: number; lastCounter?: number; limits?: LineLimits } = {}) {
    this.#committed = options.offset ?? 0
    this.#position = this.#committed
    this.#lastCounter = options.lastCounter ?? 0
    this.#unfinished = new LineBuffer(options.limits ?? lineLimits)
  }

  /** Offset right after the last whole record. */
  get offset(): number {
    return this.#committed
  }

  /** Records completed by this chunk. Never throws: what is wrong with the spool is a record of its own. Keeps no reference to the chunk. */
  push(chunk: Buffer): SpoolRecord[] {
    const records: SpoolRecord[] = []
    let rest = chunk
    while (rest.length > 0) {
      rest = this.#zip ? this.#readZip(this.#zip, rest, records) : this.#readLine(rest, records)
    }
    return records
  }

  /** The spool ended here: what is left of an unfinished line or zip. */
  finish(): SpoolRecord[] {
    const records: SpoolRecord[] = []
    if (this.#zip) {
      const error = new ArtifactsDamagedError('The artifacts end in the middle')
      this.#zip = null
      records.push({ kind: 'damage', error, end: this.#commit() })
    } else if (!this.#unfinished.isEmpty) {
      this.#finishLine(records)
    }
    return records
  }

  #commit(): number {
    this.#committed = this.#position
    return this.#committed
  }

  /** Consumes up to and including the next line end; answers what is left of the chunk. */
  #readLine(chunk: Buffer, records: SpoolRecord[]): Buffer {
    const at = chunk.indexOf(newline)
    const part = at < 0 ? chunk : chunk.subarray(0, at)
    // A copy, because the caller may reuse its buffer; a line that ends within the chunk needs none.
    this.#unfinished.push(at < 0 ? Buffer.from(part) : part)
    if (at < 0) {
      this.#position += chunk.length
      return chunk.subarray(chunk.length)
    }
    this.#position += at + 1
    this.#finishLine(records)
    return chunk.subarray(at + 1)
  }

  #finishLine(records: SpoolRecord[]): void {
    const taken = this.#unfinished.take()
    const message = parseLine(taken)
    const before = this.#committed
    if (!message || !this.#readMessage(message, before, records)) {
      const raw = Buffer.from(taken.line.subarray(0, longestNoise))
      records.push({ kind: 'noise', text: storableText(decodeEscaped(raw)), raw, end: this.#commit() })
    }
  }

  /** Order of the tests as in ansible-runner's own processor. False: the message means nothing to us. */
  #readMessage(message: RunnerMessage, before: number, records: SpoolRecord[]): boolean {
    if (isStatus(message)) {
      records.push({ kind: 'status', status: message, end: this.#commit() })
    } else if ('zipfile' in message) {
      const size = message.zipfile
      if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return false
      this.#zip = new ArtifactsDecoder(size)
      records.push({ kind: 'artifacts-begin', size, end: before })
      if (size === 0) this.#finishZip(this.#zip, records)
    } else if ('eof' in message) {
      records.push({ kind: 'eof', end: this.#commit() })
    } else if (message.event === 'keepalive') {
      records.push({ kind: 'keepalive', end: this.#commit() })
    } else if (isEvent(message)) {
      this.#readEvent(message, before, records)
    } else {
      return false
    }
    return true
  }

  #readEvent(event: RunnerEvent, before: number, records: SpoolRecord[]): void {
    const expected = this.#lastCounter + 1
    const repeated = event.counter < expected
    const end = this.#commit()
    if (event.counter !== expected) {
      const error = new CounterGapError(expected, event.counter)
      records.push({ kind: 'damage', error, end: repeated ? end : before })
    }
    if (repeated) return
    this.#lastCounter = event.counter
    records.push({ kind: 'event', event, end })
  }

  #readZip(zip: ArtifactsDecoder, chunk: Buffer, records: SpoolRecord[]): Buffer {
    const { used, data } = zip.push(chunk)
    this.#position += used
    if (data.length > 0) records.push({ kind: 'artifacts-data', data, end: this.#committed })
    if (zip.done) this.#finishZip(zip, records)
    return chunk.subarray(used)
  }

  #finishZip(zip: ArtifactsDecoder, records: SpoolRecord[]): void {
    this.#zip = null
    const end = this.#commit()
    records.push(zip.error ? { kind: 'damage', error: zip.error, end } : { kind: 'artifacts-end', size: zip.size, end })
  }
}

function parseLine(taken: TakenLine): RunnerMessage | null {
  const line = 'tail' in taken ? abridgedEvent(taken.line, taken.tail, taken.leftOut) : taken.line
  if (line === null) return null
  try {
    const value: unknown = JSON.parse(decodeEscaped(line))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as RunnerMessage) : null
  } catch {
    return null
  }
}

function isStatus(message: RunnerMessage): message is RunnerStatus {
  return typeof message.status === 'string'
}

function isEvent(message: RunnerMessage): message is RunnerEvent {
  return (
    typeof message.event === 'string' &&
    typeof message.uuid === 'string' &&
    message.uuid !== '' &&
    typeof message.counter === 'number' &&
    Number.isSafeInteger(message.counter) &&
    message.counter > 0
  )
}
