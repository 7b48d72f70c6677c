import { readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** The embedded database's folder is in use by a live process. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError'
}

/**
 * Keeps two processes from opening one embedded database, which would destroy it. The lock is the one that SQLite takes on a file: the kernel
 * gives it back when its holder dies, so none is ever stale and nobody has to judge whether it is. Who holds it stands in a file beside, for
 * the error alone. Returns the function that gives it back. (docs/decisions/0014)
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const [lock, holder] = ['mayfly.lock', 'mayfly.pid'].map((name) => join(resolve(folder), name)) as [string, string]
  const held = tryLock(lock)
  if (!held) {
    const pid = (await readFile(holder, 'utf8').catch(() => '')).trim()
    const where = pid === String(process.pid) ? 'already open in this process' : `open in process ${pid}`
    throw new FolderInUseError(`the database in ${folder} is ${where}`)
  }
  try {
    await writeFile(holder, `${process.pid}\n`, { mode: 0o600 })
  } catch (error) {
    held.close()
    throw error
  }
  return async () => {
    if (!held.isOpen) return
    await rm(holder, { force: true })
    held.close()
  }
}

/** The open file, whose end is the lock's; undefined when somebody else holds it. */
function tryLock(path: string): DatabaseSync | undefined {
  const file = new DatabaseSync(path, { timeout: 0 })
  try {
    file.exec('BEGIN EXCLUSIVE')
    return file
  } catch (error) {
    file.close()
    if (isBusy(error)) return undefined
    throw error
  }
}

/** SQLITE_BUSY, or one of its extended codes. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5
}
