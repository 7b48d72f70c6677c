/** One JSON line of the runner as it came; keys in runner-protocol.md §2.3 and §3.3. */
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
  /** The zip begins again: drop what was kept of an earlier, unfinished one. `size` in bytes of the zip itself. */
  | { kind: 'artifacts-begin'; size: number }
  | { kind: 'artifacts-data'; data: Buffer }
  /** The zip is complete; `size` bytes were handed out. */
  | { kind: 'artifacts-end'; size: number }
  | { kind: 'eof' }
  | { kind: 'keepalive' }
  /** A line that is none of the runner's: kept for people to read. `raw` is without its line end, cut at the reader's limit. */
  | { kind: 'noise'; text: string; raw: Buffer }
  /** The spool contradicts itself; an event after a gap still follows, a repeated one does not. */
  | { kind: 'damage'; error: CounterGapError | ArtifactsDamagedError }
)

/** An event's counter is not the one that must follow: output is missing, or comes from another run. */
export class CounterGapError extends Error {
  override name = 'CounterGapError'
  readonly expected: number
  readonly found: number
  constructor(expected: number, found: number) {
    super(`The runner's event ${expected} is missing: event ${found} came in its place`)
    this.expected = expected
    this.found = found
  }
}

/** The artifacts zip is not the base64 text of the announced size. */
export class ArtifactsDamagedError extends Error {
  override name = 'ArtifactsDamagedError'
}

/** Turns the spool's bytes, cut anywhere, into records. Time is linear in the bytes, memory is that of the longest line. */
export class SpoolReader {
  constructor(options: { offset?: number; lastCounter?: number } = {}) {
    void options
  }
  /** Offset right after the last whole record. */
  get offset(): number {
    return 0
  }
  /** Records completed by this chunk. Never throws: what is wrong with the spool is a record. */
  push(chunk: Buffer): SpoolRecord[] {
    throw new Error(`${chunk.length}`)
  }
  /** The spool ended here: what is left of an unfinished line, as noise, or of an unfinished zip, as damage. */
  finish(): SpoolRecord[] {
    return []
  }
}
