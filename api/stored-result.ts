import type { Channel } from '../store/channel.ts'
import { lastWorker } from '../store/workers.ts'
import type { RequestContext } from './context.ts'

/** Looks again this often, should a notification have been lost. */
const lookEveryMs = 2_000

/**
 * Waits until the worker has stored what was asked for: `read` gives it, or undefined while it is not there. Undefined as well when the time is
 * over, the client has gone, or no worker is there who could. Only outside of a transaction.
 */
export async function storedResult<Result>(
  { deps, request }: RequestContext,
  channel: Channel,
  seconds: number,
  read: () => Promise<Result | undefined>,
): Promise<Result | undefined> {
  let wake = () => {}
  const stop = await deps.store.listen(channel, () => wake())
  const until = performance.now() + seconds * 1000
  try {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      const found = await read()
      const left = until - performance.now()
      if (found !== undefined || left <= 0 || request.signal.aborted) return found
      if (!(await lastWorker(deps.store.db)).alive) return undefined
      await sooner(woken, Math.min(lookEveryMs, left))
    }
  } finally {
    await stop()
  }
}

async function sooner(woken: Promise<void>, ms: number): Promise<void> {
  const clock = Promise.withResolvers<void>()
  const timer = setTimeout(clock.resolve, ms)
  await Promise.race([woken, clock.promise])
  clearTimeout(timer)
}
