import type { Context } from '@temporalio/activity'
import { cancellationReason } from './failures.ts'

/** How often the server hears of a long activity, and so how late a cancellation is heard at most. */
const beatMs = 1_000
/** So many may be late before the worker is taken for dead, where they are rare. */
const rareBeats = 3

/**
 * Beats while an activity works, and tells two wishes apart: `cancel` (somebody cancelled the job: end it properly) and `stop` (the worker
 * shuts down, or the run was terminated, reset or taken over: leave everything as it is for whoever comes next).
 */
export class Heart {
  readonly #timer: NodeJS.Timeout
  readonly #cancel = new AbortController()
  readonly #stop = new AbortController()
  #details: Record<string, unknown> = {}

  /**
   * `rare`: only as often as its life has to be proven, for an activity that hears of a cancellation in another way as well. Each heartbeat is a write of the server's; of hundreds
   * of running jobs they were more than half of all that it wrote.
   */
  constructor(context: Context, { rare = false } = {}) {
    const { heartbeatTimeoutMs } = context.info
    const everyMs = rare && heartbeatTimeoutMs ? heartbeatTimeoutMs / rareBeats : beatMs
    this.#timer = setInterval(() => context.heartbeat(this.#details), everyMs)
    const heard = () => {
      const wish = cancellationReason(context)
      if (wish === 'cancelled') this.#cancel.abort()
      else if (wish) this.#stop.abort()
    }
    if (context.cancellationSignal.aborted) heard()
    else context.cancellationSignal.addEventListener('abort', heard, { once: true })
  }

  /** Somebody cancelled the job, and Temporal has not said so yet. */
  cancelled(): void {
    this.#cancel.abort()
  }

  /** Aborts when the job was cancelled. */
  get cancel(): AbortSignal {
    return this.#cancel.signal
  }

  /** Aborts when this activity must let go at once. */
  get stop(): AbortSignal {
    return this.#stop.signal
  }

  /** Aborts by either wish. */
  get asked(): AbortSignal {
    return AbortSignal.any([this.cancel, this.stop])
  }

  /** What the next heartbeat says; shown in the Temporal UI. */
  says(details: Record<string, unknown>): void {
    this.#details = details
  }

  end(): void {
    clearInterval(this.#timer)
  }
}
