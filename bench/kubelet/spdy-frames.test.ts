import { constants, createDeflate, createInflate, type Deflate } from 'node:zlib'
import { expect, test } from 'vitest'
import { dictionary, type Frame, FrameReader, FrameWriter, SpdyError } from './spdy-frames.ts'

/** A header block as a peer that compresses writes it: one compressed stream for the whole connection. */
async function block(deflate: Deflate, headers: Record<string, string>): Promise<Buffer> {
  const texts = Object.entries(headers).flat()
  const parts = [Buffer.alloc(4)]
  parts[0]?.writeUInt32BE(Object.keys(headers).length)
  for (const text of texts) {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(text.length)
    parts.push(length, Buffer.from(text))
  }
  const chunks: Buffer[] = []
  const take = (chunk: Buffer) => chunks.push(chunk)
  deflate.on('data', take)
  deflate.write(Buffer.concat(parts))
  await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve))
  deflate.off('data', take)
  return Buffer.concat(chunks)
}

function synStream(id: number, headers: Buffer, flags = 0): Buffer {
  const body = Buffer.concat([Buffer.alloc(10), headers])
  body.writeUInt32BE(id)
  return control(1, body, flags)
}

function control(type: number, body: Buffer, flags = 0): Buffer {
  const head = Buffer.from([0x80, 3, 0, type, flags, 0, 0, 0])
  head.writeUIntBE(body.length, 5, 3)
  return Buffer.concat([head, body])
}

test('the dictionary is that of the specification', () => {
  expect(dictionary.length).toBe(1423)
  expect(dictionary.subarray(0, 11).toString('latin1')).toBe('\0\0\0\x07options')
  expect(dictionary.subarray(-8).toString('latin1')).toBe('*,enq=0.')
})

test('streams are opened with compressed headers, however the bytes are cut', async () => {
  const deflate = createDeflate({ dictionary })
  const bytes = Buffer.concat([
    synStream(1, await block(deflate, { streamtype: 'error', ':version': 'HTTP/1.1' })),
    synStream(3, await block(deflate, { streamtype: 'stdin' })),
    synStream(5, await block(deflate, { streamtype: 'stdout' }), 1),
  ])
  for (const size of [1, 7, bytes.length]) {
    const reader = new FrameReader()
    const frames: Frame[] = []
    for (let at = 0; at < bytes.length; at += size) frames.push(...reader.push(bytes.subarray(at, at + size)))
    expect(
      frames.map((frame) => frame.kind === 'open' && [frame.stream, frame.headers.get('streamtype'), frame.last]),
    ).toEqual([
      [1, 'error', false],
      [3, 'stdin', false],
      [5, 'stdout', true],
    ])
  }
})

test('headers of other frames count for those that follow', async () => {
  const deflate = createDeflate({ dictionary })
  const id = Buffer.from([0, 0, 0, 1])
  const reply = control(8, Buffer.concat([id, await block(deflate, { a: 'b' })]))
  const open = synStream(3, await block(deflate, { streamtype: 'stderr' }))
  const frames = new FrameReader().push(Buffer.concat([reply, open]))
  expect(frames).toMatchObject([{ kind: 'other' }, { kind: 'open', stream: 3 }])
})

test('data, its end and pings', () => {
  const writer = new FrameWriter()
  const bytes = Buffer.concat([
    writer.data(3, Buffer.from('hello')),
    writer.data(3, Buffer.alloc(0), true),
    writer.ping(7),
  ])
  expect(new FrameReader().push(bytes)).toEqual([
    { kind: 'data', stream: 3, data: Buffer.from('hello'), last: false },
    { kind: 'data', stream: 3, data: Buffer.alloc(0), last: true },
    { kind: 'ping', id: 7 },
  ])
})

test('our answers are one stream that zlib unpacks, and hold no headers', async () => {
  const writer = new FrameWriter()
  const inflate = createInflate({ dictionary })
  const said: Buffer[] = []
  inflate.on('data', (chunk) => said.push(chunk))
  for (const id of [1, 3, 5]) inflate.write(writer.reply(id).subarray(12))
  await new Promise<void>((resolve) => inflate.flush(constants.Z_SYNC_FLUSH, resolve))
  expect(Buffer.concat(said)).toEqual(Buffer.alloc(12))
})

test('what is no SPDY/3 is refused', () => {
  expect(() => new FrameReader().push(Buffer.from([0x80, 2, 0, 1, 0, 0, 0, 0]))).toThrow(SpdyError)
  expect(() => new FrameReader().push(Buffer.from([0, 0, 0, 1, 0, 0xff, 0xff, 0xff]))).toThrow(
    'a frame of 16777215 bytes',
  )
  expect(() => new FrameReader().push(synStream(1, Buffer.from('not zlib')))).toThrow('cannot be unpacked')
})
