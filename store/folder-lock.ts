import { readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

/** The embedded database's folder is in use by a live process. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError'
}

const heldHere = new Set<string>()

/**
 * Keeps two processes from opening one embedded database, which would destroy it. The lock is a file naming its process; one left by a
 * process that died is taken over. Returns the function that gives it back.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const file = join(resolve(folder), 'mayfly.pid')
  if (heldHere.has(file)) throw new FolderInUseError(`the database in ${folder} is already open in this process`)
  heldHere.add(file)
  try {
    await claim(file, folder)
  } catch (error) {
    heldHere.delete(file)
    throw error
  }
  return async () => {
    await rm(file, { force: true })
    heldHere.delete(file)
  }
}

async function claim(file: string, folder: string): Promise<void> {
  const mine = await identity(process.pid)
  for (;;) {
    try {
      return await writeFile(file, mine, { flag: 'wx', mode: 0o600 })
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error
    }
    const holder = await readFile(file, 'utf8').catch(() => '')
    const pid = Number.parseInt(holder, 10)
    if (pid !== process.pid && pid > 0 && isAlive(pid) && (await identity(pid)) === holder)
      throw new FolderInUseError(`the database in ${folder} is open in process ${pid}`)
    await rm(file, { force: true })
  }
}

/** Process id and, where the system tells, its start time: a pid that was given out again is another process. */
async function identity(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return `${pid} ${afterName[19] ?? ''}\n`
}

/** Whether there is a process of this number; it may be another one than it was. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return isCode(error, 'EPERM')
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
