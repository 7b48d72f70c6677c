/** Bounded waiting for something that can be asked, with an error that says where to look. */
import { setTimeout as pause } from 'node:timers/promises'

/** What `until` waits for, how long, and what to say when it does not come. */
export interface Wait {
  /** Completes the sentence "waited 30 s for …"; a function is asked when the wait has ended. */
  what: string | (() => string)
  seconds: number
  /** Named in the error, so that the reader knows where to look next. */
  log?: string
  /** Called between two polls; throwing ends the wait at once, e.g. because the process died. */
  giveUp?: () => void
  everyMs?: number
  /** Passes the time between two polls, in place of `everyMs`. */
  pause?: () => Promise<void>
}

/** Asks `check` until it gives a truthy value, and gives that value. A check that throws counts as "not yet". */
export async function until<T>(wait: Wait, check: () => Promise<T> | T): Promise<NonNullable<T>> {
  const end = performance.now() + wait.seconds * 1000
  let last: unknown
  for (;;) {
    try {
      const value = await check()
      if (value) return value as NonNullable<T>
    } catch (error) {
      last = error
    }
    wait.giveUp?.()
    if (performance.now() > end) {
      const why = last instanceof Error ? ` (last: ${last.message})` : ''
      const where = wait.log ? `; see ${wait.log}` : ''
      const what = typeof wait.what === 'string' ? wait.what : wait.what()
      throw new Error(`waited ${wait.seconds} s for ${what}${why}${where}`)
    }
    await (wait.pause ? wait.pause() : pause(wait.everyMs ?? 50))
  }
}
