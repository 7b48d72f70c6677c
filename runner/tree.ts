import { createReadStream } from 'node:fs'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { ProjectUnreadableError } from './project/manual.ts'
import { fileType, type ZipEntry } from './zip.ts'

/** Git's own folders, and the file that stands for them in a submodule. */
const leftOut = new Set(['.git'])

/** How many files are looked at together. */
const width = 32
/** A file of up to so many bytes is read at once: a stream of it costs several times as much, and most files of a project are small. */
const readWhole = 64 * 1024

/** A directory's entry; always writable for its owner, for the worker fills it after it made it. */
export function directoryEntry(name: string, mode: number, modified: Date): ZipEntry {
  return { name: `${name}/`, mode: fileType.directory | (mode & 0o777) | 0o700, modified, size: 0, read: () => [] }
}

/** An entry from memory. */
export function textEntry(name: string, content: string | Buffer, mode: number, modified: Date): ZipEntry {
  const bytes = Buffer.from(content)
  return { name, mode: fileType.file | mode, modified, size: bytes.length, read: () => [bytes] }
}

/**
 * Everything below a folder, under a name of its own in the zip, sorted so that the same folder gives the same zip. Links stay links, whatever
 * they point to; `.git`, fifos, sockets and devices are left out. Throws ProjectUnreadableError.
 */
export async function treeEntries(folder: string, name: string): Promise<ZipEntry[]> {
  try {
    const top = await lstat(folder)
    if (!top.isDirectory()) throw new ProjectUnreadableError(`The project folder ${name} is not a folder`)
    return [directoryEntry(name, top.mode, top.mtime), ...(await below(folder, name))]
  } catch (error) {
    if (error instanceof ProjectUnreadableError) throw error
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new ProjectUnreadableError(`The ${name} folder cannot be read (${code})`)
  }
}

async function below(folder: string, name: string): Promise<ZipEntry[]> {
  const names = (await readdir(folder)).filter((child) => !leftOut.has(child)).sort()
  const entries: ZipEntry[] = []
  for (let from = 0; from < names.length; from += width) {
    const some = names.slice(from, from + width)
    const found = await Promise.all(some.map((child) => entriesOf(join(folder, child), `${name}/${child}`)))
    for (const list of found) entries.push(...list)
  }
  return entries
}

async function entriesOf(path: string, name: string): Promise<ZipEntry[]> {
  // What Node could not decode would be sent under another name; Python refuses such names as well.
  if (name.includes('\ufffd')) throw new ProjectUnreadableError(`The file name ${name} is not UTF-8`)
  const stat = await lstat(path)
  const modified = stat.mtime
  if (stat.isDirectory()) return [directoryEntry(name, stat.mode, modified), ...(await below(path, name))]
  if (stat.isSymbolicLink()) {
    const target = Buffer.from(await readlink(path))
    return [{ name, mode: fileType.link | 0o777, modified, size: target.length, read: () => [target] }]
  }
  if (!stat.isFile()) return []
  const mode = fileType.file | (stat.mode & 0o777) | 0o400
  return [{ name, mode, modified, size: stat.size, read: () => contentOf(path, stat.size) }]
}

function contentOf(path: string, size: number): AsyncIterable<Buffer> {
  return size > readWhole ? createReadStream(path) : wholeFile(path)
}

async function* wholeFile(path: string): AsyncGenerator<Buffer> {
  yield await readFile(path)
}
