import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { PassThrough, type Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { extract, type Header } from 'tar-stream'
import { type Entry, getFileNameLowLevel, openPromise, type ZipFile } from 'yauzl'
import { ArchiveError } from './archive-error.ts'
import { type ArchiveLimits, TreeWriter } from './tree-writer.ts'

/** Limits of archives that nobody set others for: far above any project, far below a disk. */
export const defaultLimits: ArchiveLimits = { maxBytes: 2 * 1024 ** 3, maxEntries: 100_000 }

/** Kinds of archives by how they begin. */
const beginnings: { kind: 'zip' | 'tar' | 'gzip' | 'zstd' | 'other'; name: string; at: number; bytes: string }[] = [
  { kind: 'zip', name: 'zip', at: 0, bytes: 'PK\x03\x04' },
  { kind: 'zip', name: 'empty zip', at: 0, bytes: 'PK\x05\x06' },
  { kind: 'gzip', name: 'gzip', at: 0, bytes: '\x1f\x8b' },
  { kind: 'zstd', name: 'zstd', at: 0, bytes: '\x28\xb5\x2f\xfd' },
  { kind: 'tar', name: 'tar', at: 257, bytes: 'ustar' },
  { kind: 'other', name: 'bzip2', at: 0, bytes: 'BZh' },
  { kind: 'other', name: 'xz', at: 0, bytes: '\xfd7zXZ\x00' },
  { kind: 'other', name: '7-Zip', at: 0, bytes: "7z\xbc\xaf'\x1c" },
]

/**
 * Unpacks a tar (plain, gzip or zstd) or zip archive into an empty folder. Answers the folder below it that the project begins in, or ''. Throws
 * ArchiveError, which names the entry, and leaves the removal of what it had written to the caller.
 */
export async function unpackArchive(
  file: string,
  folder: string,
  signal: AbortSignal,
  limits: ArchiveLimits = defaultLimits,
): Promise<string> {
  const kind = await kindOf(file)
  const tree = new TreeWriter(folder, limits)
  try {
    if (kind === 'zip') await unpackZip(file, tree, signal)
    else await unpackTar(file, decompressor(kind, limits), tree, signal)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof ArchiveError || isSystemError(error)) throw error
    throw new ArchiveError(`The archive cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
  return await tree.finish()
}

/** Trouble of the control plane's disk, which is not the archive's fault. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}

async function kindOf(path: string): Promise<'zip' | 'tar' | 'gzip' | 'zstd'> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(512), length: 512 })
    const start = buffer.toString('latin1', 0, bytesRead)
    const found = beginnings.find(({ at, bytes }) => start.startsWith(bytes, at))
    if (found && found.kind !== 'other') return found.kind
    const what = found ? `is compressed with ${found.name}` : 'is neither a tar nor a zip archive'
    throw new ArchiveError(`What the SCM URL leads to ${what}: a .tar.gz, .tar or .zip file is needed.`)
  } finally {
    await file.close()
  }
}

function decompressor(kind: 'tar' | 'gzip' | 'zstd', { maxBytes, maxEntries }: ArchiveLimits): Transform[] {
  if (kind === 'tar') return []
  // What is no entry's content counts too: headers, padding, and endless zeros behind the end.
  let left = maxBytes + maxEntries * 4096
  const bounded = new PassThrough({
    transform(piece: Buffer, _encoding, done) {
      left -= piece.length
      done(left < 0 ? new ArchiveError(`The archive unpacks to more than ${maxBytes} bytes.`) : null, piece)
    },
  })
  return [kind === 'gzip' ? createGunzip() : createZstdDecompress(), bounded]
}

const unusable: Partial<Record<Header['type'], string>> = {
  'character-device': 'a character device',
  'block-device': 'a block device',
  fifo: 'a named pipe',
}

async function unpackTar(path: string, decompress: Transform[], tree: TreeWriter, signal: AbortSignal): Promise<void> {
  const entries = extract()
  const reading = pipeline([createReadStream(path), ...decompress, entries], { signal })
  // Its failure also ends the loop, which is where it is told.
  let failure: unknown
  reading.catch((error: unknown) => {
    failure ??= error
  })
  try {
    for await (const entry of entries) {
      await writeTarEntry(tree, entry.header, entry as unknown as Readable)
      entry.resume()
    }
  } catch (error) {
    entries.destroy()
    await reading.catch(() => {})
    // A stream that was ended by another one's failure only knows that it was ended.
    throw error instanceof ArchiveError ? error : (failure ?? error)
  }
  await reading
}

async function writeTarEntry(tree: TreeWriter, header: Header, content: Readable): Promise<void> {
  const { name, type, mode, linkname } = header
  if (type === 'directory') await tree.directory(name)
  else if (type === 'symlink') tree.symlink(name, linkname)
  else if (type === 'link') await tree.hardLink(name, linkname)
  else if (type === 'file' || type === 'contiguous-file') await tree.file(name, mode, content)
  else {
    const what = unusable[type] ?? 'of an unknown kind'
    throw new ArchiveError(`Entry "${name.slice(0, 200)}" of the archive is ${what}, which no project needs.`)
  }
}

/** Kinds of files in the upper half of a zip entry's attributes, as Unix has them. */
const kindMask = 0o170000
const kinds = { directory: 0o040000, symlink: 0o120000, file: 0o100000 }
/** A link's target is a path, and paths have an end. */
const longestTarget = 4096

async function unpackZip(path: string, tree: TreeWriter, signal: AbortSignal): Promise<void> {
  const zip = await openPromise(path, { decodeStrings: false })
  try {
    for await (const entry of zip.eachEntry()) {
      signal.throwIfAborted()
      await writeZipEntry(zip, entry, tree)
    }
  } finally {
    zip.close()
  }
}

async function writeZipEntry(zip: ZipFile, entry: Entry, tree: TreeWriter): Promise<void> {
  const name = getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, false)
  const mode = entry.externalFileAttributes >>> 16
  const kind = mode & kindMask
  if (entry.isEncrypted()) throw new ArchiveError(`Entry "${name.slice(0, 200)}" of the archive is encrypted.`)
  if (name.endsWith('/') || kind === kinds.directory) return await tree.directory(name)
  if (kind === kinds.symlink) {
    if (entry.uncompressedSize > longestTarget) {
      throw new ArchiveError(`Entry "${name.slice(0, 200)}" of the archive is a link to no path.`)
    }
    const pieces = await (await zip.openReadStreamPromise(entry)).toArray()
    return tree.symlink(name, Buffer.concat(pieces).toString('utf8'))
  }
  if (kind !== 0 && kind !== kinds.file) {
    throw new ArchiveError(`Entry "${name.slice(0, 200)}" of the archive is neither a file, a folder nor a link.`)
  }
  await tree.file(name, mode, await zip.openReadStreamPromise(entry))
}
