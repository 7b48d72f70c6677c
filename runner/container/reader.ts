import { isMapping } from '../../model/variables.ts'
import { LineBuffer, type TakenLine } from '../line-buffer.ts'
import type { SpoolRecord } from '../stream.ts'
import { decodeEscaped } from '../text.ts'
import { fileType, ZipWriter } from '../zip.ts'

const newline = 0x0a
/** Of longer lines the middle is left out. */
const lineLimits = { whole: 32 << 20, head: 1 << 20, tail: 4 << 20 }
/** Longest results in bytes: they become variables of other jobs. */
const longestResults = 1 << 20

/** The content of a record, while it arrives. */
interface Content {
  kind: 'results' | 'artifact'
  left: number
  /** Of results only; files are passed on. */
  kept: Buffer[]
}

/**
 * Turns what a container job prints, cut anywhere, into the records that a play's spool is made of: every line an event, the script's own records
 * the status, the artifacts zip and the end. A line is one event, so line numbers follow from the counter and a reader can begin at any stored offset;
 * all that comes after the command's end is one record, as a play's zip is.
 */
export class ContainerReader {
  readonly #marker: string
  readonly #unfinished = new LineBuffer(lineLimits)
  /** Offset right after the last event, and right after the last byte seen. */
  #committed: number
  #position: number
  #lineStart: number
  #counter: number
  #begun: boolean
  /** An empty line may belong to the record that follows: it counts once another line comes. */
  #emptyBefore = false
  #content: Content | undefined
  #zip: ZipWriter | undefined
  #zipSize = 0
  #results: Record<string, unknown> = {}
  #notes: string[] = []

  /** `offset` and `lastCounter` are those stored with the last event; `marker` is recordMarker()'s. */
  constructor({ marker, offset = 0, lastCounter = 0 }: { marker: string; offset?: number; lastCounter?: number }) {
    this.#marker = `${marker} `
    this.#committed = offset
    this.#position = offset
    this.#lineStart = offset
    this.#counter = lastCounter
    this.#begun = offset > 0
  }

  /** Records completed by this chunk. Keeps no reference to it. */
  push(chunk: Buffer): SpoolRecord[] {
    const records: SpoolRecord[] = []
    if (!this.#begun) records.push({ kind: 'status', status: { status: 'starting' }, end: this.#committed })
    this.#begun = true
    let rest = chunk
    while (rest.length > 0) {
      rest = this.#content ? this.#readContent(this.#content, rest, records) : this.#readLine(rest, records)
    }
    return records
  }

  /** The output ended here: what is left of it. */
  finish(): SpoolRecord[] {
    const records: SpoolRecord[] = []
    if (this.#content || this.#zip) return records
    if (this.#emptyBefore) this.#event('', this.#lineStart, records)
    if (!this.#unfinished.isEmpty) this.#event(textOf(this.#unfinished.take()), this.#position, records)
    return records
  }

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
    const text = textOf(this.#unfinished.take())
    if (text.startsWith(this.#marker)) {
      this.#emptyBefore = false
      this.#readRecord(text.slice(this.#marker.length), records)
    } else {
      if (this.#emptyBefore) this.#event('', this.#lineStart, records)
      this.#emptyBefore = text === ''
      if (text !== '') this.#event(text, this.#position, records)
    }
    this.#lineStart = this.#position
    return chunk.subarray(at + 1)
  }

  #event(stdout: string, end: number, records: SpoolRecord[]): void {
    this.#emptyBefore = false
    this.#counter += 1
    this.#committed = end
    const event = {
      event: 'verbose',
      uuid: `line-${this.#counter}`,
      counter: this.#counter,
      stdout,
      start_line: this.#counter - 1,
      end_line: this.#counter,
      created: new Date().toISOString(),
    }
    records.push({ kind: 'event', event, end })
  }

  #readRecord(text: string, records: SpoolRecord[]): void {
    const [, kind = '', number = '', rest = ''] = /^(\w+) (\d+) ?(.*)$/s.exec(text) ?? []
    if (kind === 'result') this.#finishRun(Number(number), rest, records)
    if (kind === 'missing') this.#notes.push(`The command left no file ${rest}.`)
    if (kind !== 'results' && kind !== 'artifact') return
    this.#content = { kind, left: Number(number), kept: [] }
    if (kind === 'artifact') this.#zipped(this.#beginZip(records).begin(entryOf(rest, Number(number))), records)
    if (this.#content.left === 0) this.#finishContent(this.#content, records)
  }

  #beginZip(records: SpoolRecord[]): ZipWriter {
    if (!this.#zip) {
      this.#zip = new ZipWriter()
      records.push({ kind: 'artifacts-begin', size: 0, end: this.#committed })
    }
    return this.#zip
  }

  #zipped(data: Buffer, records: SpoolRecord[]): void {
    this.#zipSize += data.length
    records.push({ kind: 'artifacts-data', data: Buffer.from(data), end: this.#committed })
  }

  #readContent(content: Content, chunk: Buffer, records: SpoolRecord[]): Buffer {
    const part = chunk.subarray(0, content.left)
    content.left -= part.length
    this.#position += part.length
    if (content.kind === 'artifact' && this.#zip) this.#zipped(this.#zip.write(part), records)
    else content.kept.push(Buffer.from(part))
    if (content.left === 0) this.#finishContent(content, records)
    return chunk.subarray(part.length)
  }

  #finishContent(content: Content, records: SpoolRecord[]): void {
    if (content.kind === 'artifact' && this.#zip) this.#zipped(this.#zip.endEntry(), records)
    else this.#readResults(Buffer.concat(content.kept))
    this.#content = undefined
    this.#lineStart = this.#position
  }

  #readResults(bytes: Buffer): void {
    const parsed = bytes.length > longestResults ? undefined : parseJson(bytes)
    if (isMapping(parsed)) this.#results = parsed
    else this.#notes.push(`The file of MAYFLY_RESULTS is no JSON object of at most ${longestResults} bytes.`)
  }

  /** `why` somebody ended the command: 1 its time limit, 2 a cancel, 3 the kernel, for want of memory. */
  #finishRun(exitCode: number, why: string, records: SpoolRecord[]): void {
    if (this.#zip) {
      this.#zipped(this.#zip.end(), records)
      records.push({ kind: 'artifacts-end', size: this.#zipSize, end: this.#committed })
      this.#zip = undefined
    }
    const byItself = exitCode === 0 ? 'successful' : 'failed'
    const status = why === '1' ? 'timeout' : why === '2' ? 'canceled' : byItself
    const killed = why === '3' ? { out_of_memory: true } : {}
    const said = { status, exit_code: exitCode, ...killed, results: this.#results, notes: this.#notes }
    records.push({ kind: 'status', status: said, end: this.#position })
    records.push({ kind: 'eof', end: this.#position })
    this.#committed = this.#position
  }
}

function textOf(taken: TakenLine): string {
  if (!('tail' in taken)) return decodeEscaped(taken.line)
  return `${decodeEscaped(taken.line)} [${taken.leftOut} bytes left out] ${decodeEscaped(taken.tail)}`
}

/** Under its path without the slash in front. */
function entryOf(path: string, size: number) {
  return { name: path.replace(/^\/+/, ''), mode: fileType.file | 0o644, modified: new Date(0), size }
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
