import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import type { PlannedFile } from './plan.ts'

/** Tells this process from one before it that had the same number, as in containers that are started again. */
const self = { host: hostname(), pid: process.pid, start: randomUUID().slice(0, 8) }
/** Folders are named after the update and the process that made them. */
const namePattern = /^\d+_(.+)_(\d+)_(\w+)$/

/**
 * A private folder for one update on this machine, removed when disposed of. What processes left behind that were killed is removed first: there may
 * be credentials in it.
 */
export async function privateFolder(root: string, jobId: number): Promise<{ path: string } & AsyncDisposable> {
  await mkdir(root, { recursive: true, mode: 0o700 })
  await removeOrphans(root)
  const path = join(root, `${jobId}_${self.host}_${self.pid}_${self.start}`)
  const remove = () => rm(path, { recursive: true, force: true })
  await remove()
  await mkdir(path, { mode: 0o700 })
  return { path, [Symbol.asyncDispose]: remove }
}

/** Removes what processes of this machine left behind when they were killed; nothing where there was never an update. */
export async function removeOrphans(root: string): Promise<void> {
  for (const name of existsSync(root) ? await readdir(root) : []) {
    const [, host, pid, start] = namePattern.exec(name) ?? []
    // What another machine does here can be seen from there only.
    if (host !== self.host || start === self.start) continue
    if (Number(pid) === self.pid || !isAlive(Number(pid))) await rm(join(root, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It is there, but somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Writes the files of a run; the modes are those that are asked for, whatever the umask. */
export async function writeFiles(folder: string, files: readonly PlannedFile[]): Promise<void> {
  for (const { path, content, mode } of files) {
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeFile(file, content, { mode })
  }
}
