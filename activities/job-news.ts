import { channels } from '../store/channel.ts'
import type { Store } from '../store/database.ts'

/** Calls back whenever the row of a job has changed, or may have. Resolves, when it listens, with what ends it. */
export async function hearOfJob(store: Store, jobId: number, heard: () => void): Promise<() => Promise<void>> {
  return await store.listen(channels.jobs, (payload) => {
    if (payload === null || Number(payload) === jobId) heard()
  })
}

/** Hears of changes of one job's row, such as the wish to cancel it, while an activity waits for something else. */
export class JobNews {
  #unlisten: () => Promise<void> = async () => {}
  #wake: () => void = () => {}

  private constructor() {}

  /** End it. */
  static async of(store: Store, jobId: number): Promise<JobNews> {
    const news = new JobNews()
    news.#unlisten = await hearOfJob(store, jobId, () => news.#wake())
    return news
  }

  /** Waits, but no longer than until there is news; rejects with the signal's reason. */
  async interrupt(signal: AbortSignal, wait: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    try {
      await wait(AbortSignal.any([signal, woken.signal]))
    } catch (error) {
      signal.throwIfAborted()
      if (!woken.signal.aborted) throw error
    } finally {
      this.#wake = () => {}
    }
  }

  async end(): Promise<void> {
    await this.#unlisten()
  }
}
