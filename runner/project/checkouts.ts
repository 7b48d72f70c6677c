import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { PreparedProject } from './types.ts'

/**
 * The folder of one project:
 *   mirror.git, known_hosts     what is fetched from the remote
 *   archive.json                what an archive was when it was fetched last
 *   trees/<name>/               trees and Galaxy content, never changed once they have their name
 *   revisions/<commit>.json     which trees make up a revision
 *   content/<hash>.json         which tree holds the Galaxy content of equal requirements files
 */
export class Checkouts {
  readonly folder: string
  constructor(dataFolder: string, projectId: number) {
    this.folder = resolve(dataFolder, String(projectId))
  }

  get mirror(): string {
    return join(this.folder, 'mirror.git')
  }
  get lock(): string {
    return join(this.folder, 'lock.sqlite')
  }

  async prepare(): Promise<void> {
    for (const name of ['trees', 'revisions', 'content']) {
      await mkdir(join(this.folder, name), { recursive: true, mode: 0o700 })
    }
  }

  /** Makes a tree: `fill` works in a folder nobody else sees; its answer counts only when it succeeds. Answers the tree's final path. */
  async makeTree(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
    const unique = `${name}-${randomBytes(4).toString('hex')}`
    const hidden = join(this.folder, 'trees', `.${unique}`)
    try {
      await mkdir(hidden, { mode: 0o755 })
      await fill(hidden)
      const final = join(this.folder, 'trees', unique)
      await rename(hidden, final)
      return final
    } catch (error) {
      await rm(hidden, { recursive: true, force: true })
      throw error
    }
  }

  /** The revision as it was prepared last, or null; noting that it is in use. */
  async findRevision(revision: string): Promise<PreparedProject | null> {
    if (!/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(revision)) return null
    const note = await this.#readNote('revisions', revision)
    const folder = await this.#treePath(note?.folder)
    if (!note || !folder) return null
    const rolesFolder = await this.#treePath(note.roles)
    const collectionsFolder = await this.#treePath(note.collections)
    // Content that was promised but is gone makes the revision incomplete.
    if ((note.roles && !rolesFolder) || (note.collections && !collectionsFolder)) return null
    return { revision, folder, rolesFolder, collectionsFolder }
  }

  async noteRevision({ revision, folder, rolesFolder, collectionsFolder }: PreparedProject): Promise<void> {
    await this.#writeNote('revisions', revision, {
      folder: this.#treeName(folder),
      roles: rolesFolder && this.#treeName(rolesFolder),
      collections: collectionsFolder && this.#treeName(collectionsFolder),
    })
  }

  /** Galaxy content installed earlier for the same requirements, or null. */
  async findContent(hash: string): Promise<string | null> {
    return this.#treePath((await this.#readNote('content', hash))?.folder)
  }

  async noteContent(hash: string, folder: string): Promise<void> {
    await this.#writeNote('content', hash, { folder: this.#treeName(folder) })
  }

  /**
   * Removes what an update that was killed left behind, its keys among it, forgets what no job has asked for in `days`, and trees that nothing
   * refers to any more. Call it under the lock.
   */
  async clean(days: number): Promise<void> {
    for (const name of await readdir(this.folder)) {
      if (/^(access|archive|mirror)-/.test(name)) await rm(join(this.folder, name), { recursive: true, force: true })
    }
    const oldest = Date.now() - days * 24 * 3600_000
    const used = new Set<string>()
    for (const kind of ['revisions', 'content'] as const) {
      for (const file of await readdir(join(this.folder, kind))) {
        const path = join(this.folder, kind, file)
        if ((await stat(path)).mtimeMs < oldest) await rm(path, { force: true })
        else for (const name of await this.#treesOf(path)) used.add(name)
      }
    }
    for (const name of await readdir(join(this.folder, 'trees'))) {
      const path = join(this.folder, 'trees', name)
      // A tree of yesterday may still be on its way into a pod.
      if (!used.has(name) && (await stat(path)).mtimeMs < Math.max(oldest, Date.now() - 24 * 3600_000)) {
        await rm(path, { recursive: true, force: true })
      }
    }
  }

  /** Trees are named relative to `trees/`, so that the data folder may move. */
  #treeName(path: string): string {
    return path.slice(join(this.folder, 'trees').length + 1)
  }

  async #treePath(name: unknown): Promise<string | null> {
    if (typeof name !== 'string' || name === '') return null
    const path = join(this.folder, 'trees', name)
    return (await stat(path).catch(() => null))?.isDirectory() ? path : null
  }

  async #readNote(kind: 'revisions' | 'content', name: string): Promise<Record<string, unknown> | null> {
    const path = join(this.folder, kind, `${name}.json`)
    try {
      const note = JSON.parse(await readFile(path, 'utf8'))
      const now = new Date()
      await utimes(path, now, now)
      return note
    } catch {
      return null
    }
  }

  async #writeNote(kind: 'revisions' | 'content', name: string, note: Record<string, unknown>): Promise<void> {
    const path = join(this.folder, kind, `${name}.json`)
    const hidden = join(this.folder, 'trees', `.${basename(path)}-${randomBytes(4).toString('hex')}`)
    await writeFile(hidden, JSON.stringify(note))
    await rename(hidden, path)
  }

  async #treesOf(path: string): Promise<string[]> {
    const note: Record<string, unknown> = JSON.parse(await readFile(path, 'utf8'))
    return Object.values(note).flatMap((name) => (typeof name === 'string' ? [name.split('/')[0] ?? ''] : []))
  }
}
