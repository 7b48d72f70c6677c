import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'

const lookEveryMs = 100

/**
 * Waits until this caller alone holds the lock, in this process and among all that share the folder. It is the lock that SQLite takes on a
 * file, which stays: the kernel gives it back when its holder dies, so none is ever stale and nobody has to judge whether it is. Throws the
 * signal's reason when it aborts meanwhile. (docs/decisions/0014)
 */
export async function holdLock(path: string, signal: AbortSignal): Promise<AsyncDisposable> {
  for (;;) {
    signal.throwIfAborted()
    const held = tryLock(path)
    if (held) return { [Symbol.asyncDispose]: async () => held.close() }
    await delay(lookEveryMs, undefined, { signal }).catch(() => signal.throwIfAborted())
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
