import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'

/** A lock file whose owner has not touched it for this long is taken over; the owner touches it far more often. Milliseconds. */
const staleAfter = 60_000
const touchEvery = 10_000
const lookEvery = 100

/**
 * Waits until this caller alone holds the lock file, in this process and among all that share the folder. A holder that was killed is noticed
 * at once on the same machine and after a minute elsewhere. Throws the signal's reason when it aborts meanwhile.
 */
export async function holdLock(path: string, signal: AbortSignal): Promise<AsyncDisposable> {
  while (!(await claim(path))) {
    if (await isStale(path)) await takeAway(path)
    else await delay(lookEvery, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
  const timer = setInterval(() => {
    const now = new Date()
    // Only a removed folder makes this fail, and then there is nothing left to protect.
    utimes(path, now, now).catch(() => clearInterval(timer))
  }, touchEvery)
  timer.unref()
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await rm(path, { force: true })
    },
  }
}

async function claim(path: string): Promise<boolean> {
  try {
    const owner = { host: hostname(), pid: process.pid, started: await startOf(process.pid) }
    await writeFile(path, JSON.stringify(owner), { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    if (Date.now() - (await stat(path)).mtimeMs > staleAfter) return true
    const owner: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (typeof owner !== 'object' || owner === null) return false
    const { host, pid, started } = owner as Record<string, unknown>
    return host === hostname() && typeof pid === 'number' && (await startOf(pid)) !== started
  } catch {
    // Released this moment, or its owner is about to write it: look again.
    return false
  }
}

/** Of several that find the lock stale only one succeeds in renaming it. */
async function takeAway(path: string): Promise<void> {
  const aside = `${path}.${process.pid}.stale`
  try {
    await rename(path, aside)
    await rm(aside, { force: true })
  } catch {
    // Another was quicker.
  }
}

/** When a process started, in the kernel's ticks: tells a process from a later one of the same number. '' when there is none. */
async function startOf(pid: number): Promise<string> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return process.platform === 'linux' || !isAlive(pid) ? '' : 'alive'
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
