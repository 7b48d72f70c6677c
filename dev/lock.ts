/**
 * A lock between processes that a dead holder cannot keep: a listening socket with an abstract name. The
 * kernel allows one listener per name and closes it with the process, so nothing is ever stale.
 */
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:net'
import { until } from './wait.ts'

/** Runs `work` while this process holds the lock called `name`; `waiting` is called once when another one holds it. */
export async function locked<T>(name: string, waiting: () => void, work: () => Promise<T>, seconds = 1800): Promise<T> {
  const address = `\0mayfly-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`
  let told = false
  const lock = await until(
    { what: `the lock of ${name}, held by another process`, seconds, everyMs: 200 },
    async () => {
      const taken = await listen(address)
      if (!taken && !told) waiting()
      told = true
      return taken
    },
  )
  try {
    return await work()
  } finally {
    await new Promise((resolve) => lock.close(resolve))
  }
}

function listen(address: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    )
    server.listen(address, () => resolve(server))
  })
}
