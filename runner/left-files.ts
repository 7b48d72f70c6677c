import { type Entry, getFileNameLowLevel } from 'yauzl'
import { type ArtifactsZip, openZip } from './artifacts-zip.ts'

/** The zip is too large to be kept, or no zip. */
export class LeftFilesError extends Error {
  override name = 'LeftFilesError'
}

/** What the runner itself puts into its artifacts folder. `command` holds the environment with every credential in it, `ssh_key_data` was the pipe of a key. */
const runnersOwn =
  /^(command|ssh_key_data|rc|status|stdout|stderr|ansible_version\.txt|collections\.json|(job_events|fact_cache)\/.*)$/

/** Compressed. More is better kept elsewhere than in a database. */
const mostBytes = 1024 ** 3
/** Where the plain form of the zip's records ends. */
const mostEntries = 0xffff
const largestContent = 0xffff_ffff

/**
 * The zip of what a play itself left in the runner's artifacts folder, piece by piece, made of the runner's zip of the whole folder. Contents
 * are copied as they are, so that a compressed gigabyte of zeros stays small. Yields nothing when the play left no file. Throws
 * LeftFilesError, perhaps after some pieces.
 */
export async function* leftFiles(zipped: ArtifactsZip): AsyncGenerator<Buffer> {
  const directory: Buffer[] = []
  let offset = 0
  try {
    // Names as bytes: whatever a file is called, its name is copied too.
    await using zip = disposable(await openZip(zipped, { decodeStrings: false, lazyEntries: true }))
    for await (const entry of zip.file.eachEntry()) {
      const name = entry.fileNameRaw
      const text = getFileNameLowLevel(entry.generalPurposeBitFlag, name, [], false)
      // Folders come back with their files.
      if (text.endsWith('/') || runnersOwn.test(text) || (entry.generalPurposeBitFlag & encrypted) !== 0) continue
      if (entry.uncompressedSize >= largestContent || offset + entry.compressedSize > mostBytes) {
        throw new LeftFilesError(`${text} is too large`)
      }
      if (directory.length === mostEntries) throw new LeftFilesError(`there are more than ${mostEntries} files`)
      const header = localHeader(entry, name)
      yield header
      let read = 0
      for await (const piece of await zip.file.openReadStreamPromise(entry, { decodeFileData: false })) {
        read += (piece as Buffer).length
        yield piece as Buffer
      }
      if (read !== entry.compressedSize) throw new LeftFilesError(`${text} is cut off`)
      directory.push(centralHeader(entry, name, offset))
      offset += header.length + read
    }
  } catch (error) {
    if (error instanceof LeftFilesError || (error instanceof Error && 'syscall' in error)) throw error
    throw new LeftFilesError(`the zip cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (directory.length === 0) return
  const headers = Buffer.concat(directory)
  yield headers
  yield endRecord(directory.length, offset, headers.length)
}

const encrypted = 0x0001
const utf8Name = 0x0800
const version = 20

function disposable<Closable extends { close(): void }>(file: Closable) {
  return { file, [Symbol.asyncDispose]: async () => file.close() }
}

/** What both headers of an entry say, from the version on. Sizes are known, so nothing follows the content. */
function facts(entry: Entry, name: Buffer): Buffer {
  const bytes = Buffer.alloc(26)
  bytes.writeUInt16LE(version, 0)
  bytes.writeUInt16LE(entry.generalPurposeBitFlag & utf8Name, 2)
  bytes.writeUInt16LE(entry.compressionMethod, 4)
  bytes.writeUInt16LE(entry.lastModFileTime, 6)
  bytes.writeUInt16LE(entry.lastModFileDate, 8)
  bytes.writeUInt32LE(entry.crc32, 10)
  bytes.writeUInt32LE(entry.compressedSize, 14)
  bytes.writeUInt32LE(entry.uncompressedSize, 18)
  bytes.writeUInt16LE(name.length, 22)
  return bytes
}

function localHeader(entry: Entry, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), facts(entry, name), name])
}

function centralHeader(entry: Entry, name: Buffer, offset: number): Buffer {
  const start = Buffer.from('PK\x01\x02\0\0', 'latin1')
  start.writeUInt16LE(entry.versionMadeBy, 4)
  const end = Buffer.alloc(14)
  end.writeUInt32LE(entry.externalFileAttributes, 6)
  end.writeUInt32LE(offset, 10)
  return Buffer.concat([start, facts(entry, name), end, name])
}

function endRecord(count: number, offset: number, size: number): Buffer {
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(count, 8)
  end.writeUInt16LE(count, 10)
  end.writeUInt32LE(size, 12)
  end.writeUInt32LE(offset, 16)
  return end
}
