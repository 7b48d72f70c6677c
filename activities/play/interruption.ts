import type { Cause } from '../../model/cause.ts'
import type { ActivityDeps } from '../deps.ts'

/** Something that may end an attempt from outside while it is at work, and is followed as long as it can. */
export interface Interruption {
  /** Aborts when it has come. */
  readonly signal: AbortSignal
  /** What the job is told then; null as long as it has not come. */
  readonly cause: Cause | null
  /** Follows no longer. */
  end(): void
}

/**
 * Waits for the cause that `find` resolves with; null means that it can come no more. `find` ends when its signal aborts. Should it fail, nothing is interrupted: the log says
 * that `what` could not be followed.
 */
export function follow(
  { log }: Pick<ActivityDeps, 'log'>,
  what: string,
  find: (over: AbortSignal) => Promise<Cause | null>,
): Interruption {
  const come = new AbortController()
  const over = new AbortController()
  let found: Cause | null = null
  find(over.signal).then(
    (cause) => {
      found = cause
      if (cause) come.abort()
    },
    (error: unknown) => {
      if (!over.signal.aborted) log.debug({ reason: String(error) }, `could not follow ${what}`)
    },
  )
  return {
    signal: come.signal,
    get cause() {
      return found
    },
    end: () => over.abort(new Error('it is followed no longer')),
  }
}
