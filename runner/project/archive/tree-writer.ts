import { createWriteStream } from 'node:fs'
import { copyFile, lstat, mkdir, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ArchiveError } from './archive-error.ts'

/** What an archive may unpack to. */
export interface ArchiveLimits {
  /** Bytes of all files together. */
  maxBytes: number
  maxEntries: number
}

/** File systems take no longer name of a file, in bytes; and where we write, the whole path must fit as well. */
const longestName = 255
const longestPath = 2048

/**
 * Writes the entries of an archive below a folder of its own, and nothing anywhere else: names that lead outside, names that are there twice, and
 * more than the limits allow are an ArchiveError that names the entry. Symbolic links are made last, by `finish`, so that nothing is written through one.
 */
export class TreeWriter {
  readonly #folder: string
  readonly #limits: ArchiveLimits
  /** Kinds of what is written, by path. */
  readonly #written = new Map<string, 'directory' | 'file'>()
  readonly #links = new Map<string, string>()
  #entries = 0
  #bytes = 0

  constructor(folder: string, limits: ArchiveLimits) {
    this.#folder = folder
    this.#limits = limits
  }

  async directory(name: string): Promise<void> {
    const path = this.#take(name)
    if (path !== '') await this.#makeDirectory(path, name)
  }

  /** `mode` is that of the archive; only whether the owner may execute the file is kept. */
  async file(name: string, mode: number, content: NodeJS.ReadableStream): Promise<void> {
    const path = await this.#place(name)
    const file = createWriteStream(join(this.#folder, path), { flags: 'wx', mode: mode & 0o100 ? 0o755 : 0o644 })
    await pipeline(content, this.#counted(name), file)
  }

  /** A file that the archive holds once under two names: it becomes a copy. */
  async hardLink(name: string, target: string): Promise<void> {
    const source = cleanPath(target, `The target "${shown(target)}" of entry "${shown(name)}"`)
    if (this.#written.get(source) !== 'file') {
      throw new ArchiveError(
        `Entry "${shown(name)}" of the archive is a link to "${shown(target)}", which is no file before it.`,
      )
    }
    const path = await this.#place(name)
    const from = join(this.#folder, source)
    this.#count((await lstat(from)).size, name)
    await copyFile(from, join(this.#folder, path))
  }

  symlink(name: string, target: string): void {
    const path = this.#take(name)
    if (path === '' || this.#written.has(path) || this.#links.has(path)) throw twice(name)
    this.#links.set(path, target)
  }

  /**
   * Makes the symbolic links and answers the folder that the project begins in, relative to the writer's: that of the only folder at the
   * top, as AWX strips it, or ''. Links must stay within it.
   */
  async finish(): Promise<string> {
    const paths = [...this.#written.keys(), ...this.#links.keys()]
    if (paths.length === 0) throw new ArchiveError('The archive is empty.')
    const tops = new Set(paths.map((path) => path.split('/')[0] ?? ''))
    const [top = ''] = tops
    const start = tops.size === 1 && this.#written.get(top) === 'directory' ? top : ''
    for (const [path, target] of this.#links) await this.#makeLink(path, target, start)
    return start
  }

  async #makeLink(path: string, target: string, start: string): Promise<void> {
    const parents = ancestors(path)
    if (this.#written.has(path) || parents.some((parent) => this.#links.has(parent))) throw twice(path)
    const depth = parents.length - (start === '' ? 0 : 1)
    const problem = linkProblem(target, depth)
    if (problem) {
      throw new ArchiveError(`Entry "${shown(path)}" of the archive is a link to "${shown(target)}", which ${problem}.`)
    }
    for (const parent of parents) await this.#makeDirectory(parent, path)
    await symlink(target, join(this.#folder, path))
  }

  /** The path of a new file, whose folder exists. */
  async #place(name: string): Promise<string> {
    const path = this.#take(name)
    if (path === '' || this.#written.has(path)) throw twice(name)
    const parent = dirname(path)
    if (parent !== '.') await this.#makeDirectory(parent, name)
    this.#written.set(path, 'file')
    return path
  }

  async #makeDirectory(path: string, name: string): Promise<void> {
    for (const step of [...ancestors(path), path]) {
      const known = this.#written.get(step)
      if (known === 'file') throw twice(name)
      if (known === undefined) {
        await mkdir(join(this.#folder, step))
        this.#written.set(step, 'directory')
      }
    }
  }

  #take(name: string): string {
    this.#entries += 1
    if (this.#entries > this.#limits.maxEntries) {
      throw new ArchiveError(`The archive has more than ${this.#limits.maxEntries} entries.`)
    }
    return cleanPath(name, `Entry "${shown(name)}" of the archive`)
  }

  #counted(name: string): Transform {
    return new Transform({
      transform: (piece: Buffer, _encoding, done) => {
        try {
          this.#count(piece.length, name)
          done(null, piece)
        } catch (error) {
          done(error as Error)
        }
      },
    })
  }

  #count(bytes: number, name: string): void {
    this.#bytes += bytes
    if (this.#bytes > this.#limits.maxBytes) {
      throw new ArchiveError(
        `The archive unpacks to more than ${this.#limits.maxBytes} bytes; the limit is reached at entry "${shown(name)}".`,
      )
    }
  }
}

/** A name of an archive as a relative path without `.` and empty parts; '' is the top itself. `what` begins the message of a refusal. */
function cleanPath(name: string, what: string): string {
  if (name.includes('\0')) throw new ArchiveError(`${what} has a name with a NUL byte.`)
  if (name.startsWith('/')) throw new ArchiveError(`${what} is an absolute path.`)
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) throw new ArchiveError(`${what} leads outside of it by "..".`)
  if (Buffer.byteLength(name) > longestPath || parts.some((part) => Buffer.byteLength(part) > longestName))
    throw new ArchiveError(`${what} has too long a name.`)
  return parts.join('/')
}

/**
 * What is wrong with a link's target, or null. `..` is taken at its beginning only, where it counts from the link's own folder, which is a real one:
 * after a name, which may be a link itself, nobody can tell where it leads.
 */
function linkProblem(target: string, depth: number): string | null {
  if (target === '' || target.includes('\0') || Buffer.byteLength(target) > longestPath) return 'is no path'
  if (target.startsWith('/')) return 'is an absolute path'
  const parts = target.split('/').filter((part) => part !== '' && part !== '.')
  const down = parts.findIndex((part) => part !== '..')
  const up = down === -1 ? parts.length : down
  if (up > depth) return 'leads outside of it'
  return parts.slice(up).includes('..') ? 'has ".." behind a name' : null
}

/** Folders above a path, outermost first. */
function ancestors(path: string): string[] {
  const parts = path.split('/')
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
}

const twice = (name: string) =>
  new ArchiveError(`Entry "${shown(name)}" of the archive is there twice, or in its own way.`)

/** A name as it may stand in a message: a hostile one has control characters and no end. */
function shown(name: string): string {
  const clean = [...name].map((character) => (character < ' ' || character === '\u007f' ? '?' : character)).join('')
  return clean.length > 200 ? `${clean.slice(0, 200)}…` : clean
}
