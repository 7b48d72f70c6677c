import type { CancelNews } from '../activities/deps.ts'
import { channels } from '../store/channel.ts'
import type { Store } from '../store/database.ts'

/**
 * Tells the activities of this process of a wish to cancel as soon as it is written on the job's row, by one subscription for all of them. A notification may be
 * lost with its connection: then the next heartbeat tells.
 */
export class StoredCancels implements CancelNews {
  readonly #following = new Map<number, Set<() => void>>()
  #unlisten: (() => Promise<void>) | undefined

  async start(store: Pick<Store, 'listen'>): Promise<void> {
    this.#unlisten = await store.listen(channels.cancels, (payload) => {
      if (payload === null) return
      for (const heard of [...(this.#following.get(Number(payload)) ?? [])]) heard()
    })
  }

  async stop(): Promise<void> {
    await this.#unlisten?.()
  }

  follow(jobId: number, heard: () => void): () => void {
    const ofJob = this.#following.get(jobId) ?? new Set()
    this.#following.set(jobId, ofJob.add(heard))
    return () => {
      ofJob.delete(heard)
      if (ofJob.size === 0 && this.#following.get(jobId) === ofJob) this.#following.delete(jobId)
    }
  }
}
