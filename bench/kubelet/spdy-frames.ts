/** Frames of SPDY/3.1 as far as `exec` uses them: streams with headers, data, pings. https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/ */
import { constants, inflateSync } from 'node:zlib'

/** What a peer may say; kinds of frames that change nothing here (settings, windows, priorities) are `other`. */
export type Frame =
  | { kind: 'open'; stream: number; headers: Map<string, string>; last: boolean }
  | { kind: 'data'; stream: number; data: Buffer; last: boolean }
  | { kind: 'reset'; stream: number }
  | { kind: 'ping'; id: number }
  | { kind: 'away' }
  | { kind: 'other' }

/** Bytes that are no SPDY/3. */
export class SpdyError extends Error {
  override name = 'SpdyError'
}

const types = { synStream: 1, synReply: 2, rstStream: 3, ping: 6, goAway: 7, headers: 8 } as const
const finFlag = 1
/** A frame's length has 24 bits; more than this no peer of ours sends at once. */
const longestFrame = 1 << 22

/** Section 2.6.10.1: what both sides take as said before the first header, words with their lengths and then plain text. */
const words =
  `options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization
  cache-control connection content-base content-encoding content-language content-length content-location content-md5 content-range
  content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified
  location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding
  upgrade user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie keep-alive
  origin`.split(/\s+/)
const text =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information' +
  '204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error' +
  '501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, ' +
  'Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,' +
  'publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.'
/** The dictionary that header blocks are compressed with; 1,423 bytes. */
export const dictionary = Buffer.concat([
  ...words.map((word) => lengthAndText(word.replace('_', ' '))),
  Buffer.from(text, 'latin1'),
])

function lengthAndText(value: string): Buffer {
  const bytes = Buffer.alloc(4 + value.length, value, 'latin1')
  bytes.writeUInt32BE(value.length)
  bytes.write(value, 4, 'latin1')
  return bytes
}

/** Takes a connection's bytes as they come and gives its frames; one for each connection, because headers are one compressed stream. */
export class FrameReader {
  #left: Buffer = Buffer.alloc(0)
  #compressed: Buffer = Buffer.alloc(0)
  #inflated = 0

  /** The frames that are whole now. Throws SpdyError. */
  push(chunk: Buffer): Frame[] {
    this.#left = this.#left.length === 0 ? chunk : Buffer.concat([this.#left, chunk])
    const frames: Frame[] = []
    while (this.#left.length >= 8) {
      const length = this.#left.readUIntBE(5, 3)
      if (length > longestFrame) throw new SpdyError(`a frame of ${length} bytes`)
      if (this.#left.length < 8 + length) break
      frames.push(this.#frame(this.#left.subarray(0, 8), this.#left.subarray(8, 8 + length)))
      this.#left = this.#left.subarray(8 + length)
    }
    return frames
  }

  #frame(head: Buffer, body: Buffer): Frame {
    const first = head.readUInt32BE(0)
    const last = ((head[4] ?? 0) & finFlag) !== 0
    if (first < 0x80000000) return { kind: 'data', stream: first, data: body, last }
    const version = (first >>> 16) & 0x7fff
    if (version !== 3) throw new SpdyError(`a frame of SPDY/${version}`)
    switch (first & 0xffff) {
      case types.synStream:
        return { kind: 'open', stream: idOf(body), headers: this.#headers(body.subarray(10)), last }
      case types.headers:
      case types.synReply:
        // Of no interest, but what comes later was compressed with it.
        this.#headers(body.subarray(4))
        return { kind: 'other' }
      case types.rstStream:
        return { kind: 'reset', stream: idOf(body) }
      case types.ping:
        return { kind: 'ping', id: body.readUInt32BE(0) }
      case types.goAway:
        return { kind: 'away' }
      default:
        return { kind: 'other' }
    }
  }

  /** A connection has a handful of small blocks, so each is inflated with all before it: no state of zlib has to be kept. */
  #headers(block: Buffer): Map<string, string> {
    this.#compressed = Buffer.concat([this.#compressed, block])
    let all: Buffer
    try {
      all = inflateSync(this.#compressed, { dictionary, finishFlush: constants.Z_SYNC_FLUSH })
    } catch (error) {
      throw new SpdyError(`headers that cannot be unpacked: ${String(error)}`)
    }
    const bytes = all.subarray(this.#inflated)
    this.#inflated = all.length
    const headers = new Map<string, string>()
    let at = 4
    const next = (): string => {
      const end = at + 4 + bytes.readUInt32BE(at)
      const value = bytes.toString('latin1', at + 4, end)
      at = end
      return value
    }
    for (let count = bytes.readUInt32BE(0); count > 0; count--) headers.set(next(), next())
    return headers
  }
}

function idOf(body: Buffer): number {
  return body.readUInt32BE(0) & 0x7fffffff
}

/** Writes frames; one for each connection. */
export class FrameWriter {
  #begun = false

  /** Says yes to a stream of the peer's, without headers. They are not compressed but stored, which needs no state of zlib either. */
  reply(stream: number): Buffer {
    const zlibHead = Buffer.alloc(6)
    zlibHead.writeUInt16BE(0x7820)
    zlibHead.writeUInt32BE(adler32(dictionary), 2)
    // A stored block with the number of headers, 0, and the empty one after which a reader hands out what it has.
    const block = Buffer.from([0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff])
    const body = Buffer.concat(this.#begun ? [uint32(stream), block] : [uint32(stream), zlibHead, block])
    this.#begun = true
    return control(types.synReply, body)
  }

  data(stream: number, data: Uint8Array, last = false): Buffer {
    const head = Buffer.alloc(8)
    head.writeUInt32BE(stream)
    head[4] = last ? finFlag : 0
    head.writeUIntBE(data.length, 5, 3)
    return Buffer.concat([head, data])
  }

  ping(id: number): Buffer {
    return control(types.ping, uint32(id))
  }
}

function control(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(0x80030000 + type)
  head.writeUIntBE(body.length, 5, 3)
  return Buffer.concat([head, body])
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** RFC 1950's check sum; by it zlib names a dictionary. */
function adler32(bytes: Uint8Array): number {
  let low = 1
  let high = 0
  for (const byte of bytes) {
    low = (low + byte) % 65_521
    high = (high + low) % 65_521
  }
  return high * 65_536 + low
}
