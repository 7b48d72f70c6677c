import { crc32 } from 'node:zlib'

/**
 * Writes the zip that carries a private data dir. Our own writer, because the payload announces the zip's size before its first byte and must
 * be the same when it is sent again: entries are stored uncompressed, so the size is arithmetic and contents are read only while streaming.
 * Libraries that set Unix modes also rewrite names (a backslash is an ordinary character in a Linux file name).
 */

/** One entry. `mode` is the full Unix mode with its file type: without it the worker makes files nobody can read. */
export interface ZipEntry {
  /** Relative, `/` between parts, a directory ends in `/`. */
  name: string
  mode: number
  modified: Date
  /** Bytes of content; 0 for a directory, for a symlink the length of its target. */
  size: number
  /** The content; never called for directories. Reading more or less than `size` ends in ZipSizeError. */
  read(): AsyncIterable<Buffer> | Iterable<Buffer>
}

/** An entry's content is not as long as it was when the zip's size was worked out. */
export class ZipSizeError extends Error {
  override name = 'ZipSizeError'
}

/** File types as the upper bits of a Unix mode. */
export const fileType = { file: 0o100000, directory: 0o040000, link: 0o120000 } as const

const largest32 = 0xffff_ffff
const largest16 = 0xffff
/** UTF-8 names; sizes and checksum follow the content. */
const flags = 0x0800 | 0x0008
const version = 45
/** Unix made it, so that the upper half of the external attributes is a mode. */
const madeBy = (3 << 8) | version

const isLarge = (entry: Pick<ZipEntry, 'size'>) => entry.size >= largest32

/** Exact size of the zip in bytes. */
export function zipSize(entries: ZipEntry[]): number {
  let contents = 0
  let directory = 0
  for (const entry of entries) {
    const name = Buffer.byteLength(entry.name)
    directory += 46 + name + extraLength(entry, contents)
    contents += 30 + name + (isLarge(entry) ? 20 : 0) + entry.size + descriptorLength(entry)
  }
  return contents + directory + endRecord(entries.length, contents, directory).length
}

/** The zip's bytes. Throws ZipSizeError, and whatever reading an entry throws. */
export async function* zipStream(entries: ZipEntry[]): AsyncGenerator<Buffer> {
  const writer = new ZipWriter()
  for (const entry of entries) {
    yield writer.begin(entry)
    if (!entry.name.endsWith('/')) for await (const chunk of entry.read()) yield writer.write(chunk)
    yield writer.endEntry()
  }
  yield writer.end()
}

/** An entry whose content is handed over piece by piece. */
export type PushedEntry = Omit<ZipEntry, 'read'>

/** Writes a zip as its contents arrive; every method answers the bytes to append. */
export class ZipWriter {
  #offset = 0
  #count = 0
  #directory: Buffer[] = []
  #entry: PushedEntry | undefined
  #header: Buffer = Buffer.alloc(0)
  #checksum = 0
  #read = 0

  begin(entry: PushedEntry): Buffer {
    this.#entry = entry
    this.#header = localHeader(entry)
    this.#checksum = 0
    this.#read = 0
    return this.#header
  }

  /** Throws ZipSizeError when it is more than was announced. */
  write(chunk: Buffer): Buffer {
    this.#checksum = crc32(chunk, this.#checksum)
    this.#read += chunk.length
    if (this.#read > (this.#entry?.size ?? 0)) throw this.#sizeError()
    return chunk
  }

  /** Throws ZipSizeError when it was less than announced. */
  endEntry(): Buffer {
    const entry = this.#entry
    if (!entry || this.#read !== entry.size) throw this.#sizeError()
    this.#directory.push(centralHeader(entry, this.#checksum, this.#offset))
    this.#offset += this.#header.length + entry.size + descriptorLength(entry)
    this.#count += 1
    return descriptor(entry, this.#checksum)
  }

  end(): Buffer {
    const headers = Buffer.concat(this.#directory)
    return Buffer.concat([headers, endRecord(this.#count, this.#offset, headers.length)])
  }

  #sizeError(): ZipSizeError {
    return new ZipSizeError(`${this.#entry?.name} changed its size while it was read`)
  }
}

function localHeader(entry: PushedEntry): Buffer {
  const name = Buffer.from(entry.name)
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(version, 4)
  header.writeUInt16LE(flags, 6)
  header.writeUInt32LE(dosTime(entry.modified), 10)
  header.writeUInt16LE(name.length, 26)
  if (!isLarge(entry)) return Buffer.concat([header, name])
  // With sizes of 64 bits the descriptor's form must be announced here, the sizes themselves still follow the content.
  header.writeUInt32LE(largest32, 18)
  header.writeUInt32LE(largest32, 22)
  header.writeUInt16LE(20, 28)
  const extra = Buffer.alloc(20)
  extra.writeUInt16LE(1, 0)
  extra.writeUInt16LE(16, 2)
  return Buffer.concat([header, name, extra])
}

function descriptorLength(entry: PushedEntry): number {
  return isLarge(entry) ? 24 : 16
}

function descriptor(entry: PushedEntry, checksum: number): Buffer {
  const record = Buffer.alloc(descriptorLength(entry))
  record.writeUInt32LE(0x08074b50, 0)
  record.writeUInt32LE(checksum, 4)
  if (isLarge(entry)) {
    record.writeBigUInt64LE(BigInt(entry.size), 8)
    record.writeBigUInt64LE(BigInt(entry.size), 16)
  } else {
    record.writeUInt32LE(entry.size, 8)
    record.writeUInt32LE(entry.size, 12)
  }
  return record
}

/** Length of the 64-bit field in the directory: present when the size or the position needs it. */
function extraLength(entry: PushedEntry, offset: number): number {
  return isLarge(entry) || offset >= largest32 ? 28 : 0
}

function centralHeader(entry: PushedEntry, checksum: number, offset: number): Buffer {
  const name = Buffer.from(entry.name)
  const extra = Buffer.alloc(extraLength(entry, offset))
  const header = Buffer.alloc(46)
  header.writeUInt32LE(0x02014b50, 0)
  header.writeUInt16LE(madeBy, 4)
  header.writeUInt16LE(version, 6)
  header.writeUInt16LE(flags, 8)
  header.writeUInt32LE(dosTime(entry.modified), 12)
  header.writeUInt32LE(checksum, 16)
  const large = extra.length > 0
  header.writeUInt32LE(large ? largest32 : entry.size, 20)
  header.writeUInt32LE(large ? largest32 : entry.size, 24)
  header.writeUInt16LE(name.length, 28)
  header.writeUInt16LE(extra.length, 30)
  // A 16-bit shift within 32 signed bits would make the value negative.
  header.writeUInt32LE(entry.mode * 0x10000, 38)
  header.writeUInt32LE(large ? largest32 : offset, 42)
  if (large) {
    extra.writeUInt16LE(1, 0)
    extra.writeUInt16LE(24, 2)
    extra.writeBigUInt64LE(BigInt(entry.size), 4)
    extra.writeBigUInt64LE(BigInt(entry.size), 12)
    extra.writeBigUInt64LE(BigInt(offset), 20)
  }
  return Buffer.concat([header, name, extra])
}

function endRecord(count: number, offset: number, size: number): Buffer {
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Math.min(count, largest16), 8)
  end.writeUInt16LE(Math.min(count, largest16), 10)
  end.writeUInt32LE(Math.min(size, largest32), 12)
  end.writeUInt32LE(Math.min(offset, largest32), 16)
  if (count < largest16 && size < largest32 && offset < largest32) return end
  const end64 = Buffer.alloc(76)
  end64.writeUInt32LE(0x06064b50, 0)
  end64.writeBigUInt64LE(44n, 4)
  end64.writeUInt16LE(madeBy, 12)
  end64.writeUInt16LE(version, 14)
  end64.writeBigUInt64LE(BigInt(count), 24)
  end64.writeBigUInt64LE(BigInt(count), 32)
  end64.writeBigUInt64LE(BigInt(size), 40)
  end64.writeBigUInt64LE(BigInt(offset), 48)
  end64.writeUInt32LE(0x07064b50, 56)
  end64.writeBigUInt64LE(BigInt(offset + size), 64)
  end64.writeUInt32LE(1, 72)
  return Buffer.concat([end64, end])
}

/** MS-DOS date and time, in UTC so that the same entry is the same everywhere: 1980 to 2107 in steps of two seconds. */
function dosTime(date: Date): number {
  const year = Math.min(Math.max(date.getUTCFullYear(), 1980), 2107)
  const day = ((year - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate()
  const time = (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1)
  return day * 0x10000 + time
}
