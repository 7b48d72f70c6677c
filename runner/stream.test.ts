import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { pythonJson } from '../model/variables.ts'
import { ArtifactsDamagedError } from './artifacts-decoder.ts'
import { CounterGapError, SpoolReader, type SpoolRecord } from './stream.ts'

const folder = new URL('./fixtures/', import.meta.url)
const captured = readdirSync(folder)
  .filter((name) => name.startsWith('worker-'))
  .map((name) => ({ name, bytes: readFileSync(new URL(name, folder)) }))

/** Reads the chunks; neighbouring artifacts-data records count as one, for only their bytes matter. */
function read(chunks: Iterable<Buffer>, reader = new SpoolReader()): SpoolRecord[] {
  const records: SpoolRecord[] = []
  for (const chunk of chunks) records.push(...reader.push(chunk))
  return joinData([...records, ...reader.finish()])
}

function joinData(records: SpoolRecord[]): SpoolRecord[] {
  return records.reduce<SpoolRecord[]>((joined, record) => {
    const last = joined.at(-1)
    if (record.kind === 'artifacts-data' && last?.kind === 'artifacts-data') {
      joined[joined.length - 1] = { ...record, data: Buffer.concat([last.data, record.data]) }
    } else {
      joined.push(record)
    }
    return joined
  }, [])
}

const chunksOf = (bytes: Buffer, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size))

const event = (counter: number, extra = {}) =>
  Buffer.from(`${JSON.stringify({ event: 'verbose', uuid: `u${counter}`, counter, ...extra })}\n`)

const kinds = (records: SpoolRecord[]) => records.map((record) => record.kind)

describe('captured streams', () => {
  test('there are the seventeen kinds of run', () => expect(captured.length).toBeGreaterThanOrEqual(14))

  test.each(captured)('$name is understood to its last byte', ({ name, bytes }) => {
    const records = read([bytes])
    expect(records.at(-1)).toEqual({ kind: 'eof', end: bytes.length })
    expect(kinds(records)).not.toContain('noise')
    expect(kinds(records)).not.toContain('damage')
    const events = records.flatMap((record) => (record.kind === 'event' ? [record.event] : []))
    expect(events.map((one) => one.counter)).toEqual(events.map((_, index) => index + 1))
    if (name.startsWith('worker-error')) {
      expect(records[0]).toMatchObject({ kind: 'status', status: { status: 'error' } })
      return
    }
    const begin = records.find((record) => record.kind === 'artifacts-begin')
    const data = records.find((record) => record.kind === 'artifacts-data')
    expect(data?.data.length).toBe(begin?.size)
    expect(data?.data.subarray(0, 4).toString('latin1')).toBe('PK\u0003\u0004')
  })

  test.each(captured)('$name gives the same at every chunk size', ({ bytes }) => {
    const whole = read([bytes])
    for (const size of [1, 2, 3, 4, 5, 7, 64, 1000]) expect(read(chunksOf(bytes, size))).toEqual(whole)
  })

  test.each(captured)('$name gives the same wherever it is cut in two', ({ bytes }) => {
    const whole = read([bytes])
    // Every cut in the short ones, some 300 in those of up to 80 kB (single bytes above have covered every state).
    const step = bytes.length < 5000 ? 1 : Math.ceil(bytes.length / 300)
    for (let at = 1; at < bytes.length; at += step) {
      expect(read([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole)
    }
  })

  test.each(captured)('$name goes on at the end of every record', ({ bytes }) => {
    const whole = read([bytes])
    let lastCounter = 0
    for (const record of whole) {
      if (record.kind === 'event') lastCounter = record.event.counter
      const rest = read([bytes.subarray(record.end)], new SpoolReader({ offset: record.end, lastCounter }))
      // What begins before an unfinished zip ends is read again from the zip's beginning.
      expect(rest).toEqual(whole.filter((other) => other.end > record.end || startsZip(other, record)))
    }
  })
})

function startsZip(other: SpoolRecord, record: SpoolRecord): boolean {
  return other.end === record.end && (other.kind === 'artifacts-begin' || other.kind === 'artifacts-data')
}

describe('damage and noise', () => {
  test('a missing event is told before the next one, at an offset from which it can be read again', () => {
    const stream = [event(1), event(3)]
    const records = read(stream)
    expect(kinds(records)).toEqual(['event', 'damage', 'event'])
    expect(records[1]).toMatchObject({ error: new CounterGapError(2, 3), end: event(1).length })
  })

  test('a repeated event is damage and no event', () => {
    const records = read([event(1), event(2), event(2), event(3)])
    expect(kinds(records)).toEqual(['event', 'event', 'damage', 'event'])
  })

  test('a resumed reader knows the last counter', () => {
    expect(kinds(new SpoolReader({ offset: 10, lastCounter: 1 }).push(event(2)))).toEqual(['event'])
    expect(kinds(new SpoolReader({ offset: 10, lastCounter: 1 }).push(event(3)))).toEqual(['damage', 'event'])
  })

  test('lines that are none of the runner are kept', () => {
    const lines = ['Traceback (most recent call last):', '', '[1]', '{"hello": 1}', '{"event": "verbose", "uuid": "x"}']
    const records = read([Buffer.from(`${lines.join('\n')}\n`), event(1)])
    expect(records.slice(0, -1).map((record) => (record.kind === 'noise' ? record.text : record.kind))).toEqual(lines)
    expect(records.at(-1)?.kind).toBe('event')
  })

  test('bytes that are not UTF-8, and NUL, are kept in noise', () => {
    const bytes = Buffer.from([0x61, 0xff, 0xc3, 0xa9, 0xe2, 0x82, 0x00, 0x62])
    const [record] = read([bytes, Buffer.from('\n')])
    expect(record).toEqual({ kind: 'noise', raw: bytes, text: 'a\ufffdé\ufffd\ufffd\u2400b', end: 9 })
  })

  test('an unfinished last line is noise when the spool has ended, and no record before', () => {
    const reader = new SpoolReader()
    expect(reader.push(Buffer.from('{"event": "ver'))).toEqual([])
    expect(reader.offset).toBe(0)
    expect(reader.finish()).toEqual([
      { kind: 'noise', text: '{"event": "ver', raw: Buffer.from('{"event": "ver'), end: 14 },
    ])
  })

  test('an eof record needs no line end', () => {
    expect(kinds(read([Buffer.from('{"eof": true}')]))).toEqual(['eof'])
  })

  test('a zip that breaks off is damage, and the lines after it are read', () => {
    const stream = Buffer.concat([Buffer.from('{"zipfile": 300}\nQUJD'), Buffer.from('{"eof": true}\n')])
    for (const size of [1, 3, 1000]) {
      const records = read(chunksOf(stream, size))
      expect(kinds(records.filter((record) => record.kind !== 'artifacts-data'))).toEqual([
        'artifacts-begin',
        'damage',
        'eof',
      ])
    }
    expect(kinds(read([Buffer.from('{"zipfile": 300}\nQUJD')]))).toEqual([
      'artifacts-begin',
      'artifacts-data',
      'damage',
    ])
  })

  test('a zip with foreign characters is damage, and the count leads past it', () => {
    const records = read([Buffer.from('{"zipfile": 6}\nQUJ!REVG{"eof": true}\n')])
    expect(kinds(records)).toEqual(['artifacts-begin', 'damage', 'eof'])
    expect(records[1]).toMatchObject({ error: expect.any(ArtifactsDamagedError), end: 23 })
  })

  test('padding in the wrong place is damage', () => {
    expect(kinds(read([Buffer.from('{"zipfile": 6}\nQQ==REVG{"eof": true}\n')]))).toContain('damage')
  })

  test('an empty zip', () => {
    expect(kinds(read([Buffer.from('{"zipfile": 0}\n{"eof": true}\n')]))).toEqual([
      'artifacts-begin',
      'artifacts-end',
      'eof',
    ])
  })

  test('a line beyond the limit is cut noise', () => {
    const stream = Buffer.concat([Buffer.alloc(100, 'x'), Buffer.from('\n'), event(1)])
    for (const size of [1, 30, 1000]) {
      const records = read(chunksOf(stream, size), new SpoolReader({ limits: { whole: 64, head: 64, tail: 64 } }))
      expect(kinds(records)).toEqual(['noise', 'event'])
      expect(records[0]).toMatchObject({ raw: Buffer.alloc(64, 'x'), end: 101 })
    }
  })
})

describe('an event that is too long', () => {
  const limits = { whole: 2000, head: 500, tail: 600 }
  const output = 'été \\ "quoted" \u001b[31m'.repeat(200)
  // As Python writes it: spaces after colons and commas, nothing but ASCII.
  const python = (event: Record<string, unknown>) => Buffer.from(`${pythonJson(event)}\n`)
  const long = python({
    uuid: 'u1',
    counter: 1,
    stdout: output,
    start_line: 3,
    end_line: 4,
    event: 'runner_on_ok',
    event_data: { host: 'h' },
  })

  test.each([1, 7, 499, 500, 501, 100_000])('in pieces of %d: all of it but the middle of its output', (size) => {
    const [first, second] = read(chunksOf(Buffer.concat([long, event(2)]), size), new SpoolReader({ limits }))
    if (first?.kind !== 'event') throw new Error(`is ${first?.kind}`)
    const { stdout, ...rest } = first.event
    expect(rest).toMatchObject({
      counter: 1,
      start_line: 3,
      end_line: 4,
      event: 'runner_on_ok',
      event_data: { host: 'h' },
    })
    const [, kept = '', missing] = /^(.*)… \((\d+) bytes left out\)$/s.exec(String(stdout)) ?? []
    expect(kept.length).toBeGreaterThan(200)
    expect(output.startsWith(kept)).toBe(true)
    expect(Number(missing)).toBe(pythonJson(output).length - pythonJson(kept).length)
    expect(first.end).toBe(long.length)
    expect(second?.kind).toBe('event')
  })

  test.each(captured.filter(({ bytes }) => bytes.includes('"stdout"')))(
    'as in $name: the runner writes it in the same order',
    ({ bytes }) => {
      const lines = bytes
        .toString()
        .split('\n')
        .filter((line) => line.startsWith('{') && line.includes('"start_line"'))
      for (const line of lines) {
        const whole = JSON.parse(line)
        const blown = line.replace('"stdout": "', () => `"stdout": "${'x'.repeat(5000)}`)
        const reader = new SpoolReader({
          limits: { whole: 5000, head: 500, tail: 4500 },
          lastCounter: whole.counter - 1,
        })
        const [record] = read([Buffer.from(`${blown}\n`)], reader)
        expect(record).toMatchObject({ kind: 'event', event: { ...whole, stdout: expect.stringMatching(/^x+… \(/) } })
      }
    },
  )

  test('whose length is not its output is cut noise', () => {
    const records = read(
      [python({ uuid: 'u1', counter: 1, stdout: '', event: 'x', res: output })],
      new SpoolReader({ limits }),
    )
    expect(kinds(records)).toEqual(['noise'])
  })
})

describe('size', () => {
  test('a line of 20 MB comes in pieces of 4 kB', () => {
    // Quadratic copying of 5,000 pieces would take minutes, more than a test may.
    const large = event(1, { stdout: 'x'.repeat(20_000_000) })
    const records = read(chunksOf(large, 4096))
    expect(kinds(records)).toEqual(['event'])
  })

  test('a zip of 30 MB comes out in pieces', () => {
    const zip = Buffer.alloc(30_000_000, 'z')
    const stream = Buffer.from(`{"zipfile": ${zip.length}}\n${zip.toString('base64')}{"eof": true}\n`)
    const reader = new SpoolReader()
    let largest = 0
    let total = 0
    for (const chunk of chunksOf(stream, 65_536)) {
      for (const record of reader.push(chunk)) {
        if (record.kind !== 'artifacts-data') continue
        largest = Math.max(largest, record.data.length)
        total += record.data.length
      }
    }
    expect({ total, offset: reader.offset }).toEqual({ total: zip.length, offset: stream.length })
    expect(largest).toBeLessThanOrEqual(65_536)
  })
})
