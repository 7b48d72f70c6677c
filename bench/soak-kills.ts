/** What a soak does to Mayfly's own processes. */
import type { Say } from './bench.ts'
import type { Stand } from './stand.ts'

/** kill -9 for worker or API as chance has it, and its successor; one at a time. */
export class Kills {
  count = 0
  workerPid: number
  done: Promise<unknown> = Promise.resolve()
  readonly #stand: Stand
  readonly #random: () => number
  readonly #say: Say
  readonly #launchesPerKill: number
  #next: number
  #busy = false

  /** `launchesPerKill`: a kill comes after so many launches, by chance half or half as many again. */
  constructor(stand: Stand, random: () => number, launchesPerKill: number, say: Say) {
    this.#stand = stand
    this.#random = random
    this.#say = say
    this.workerPid = stand.workerPid
    this.#launchesPerKill = launchesPerKill
    this.#next = launchesPerKill
  }

  /** Kills when it is time to; returns at once. */
  perhaps(launched: number): void {
    if (launched < this.#next || this.#busy) return
    this.#next = launched + this.#launchesPerKill * (0.5 + this.#random())
    this.#busy = true
    this.done = this.#kill(this.#random() < 0.6 ? 'worker' : 'api').finally(() => {
      this.#busy = false
    })
    // What failed is told at the end, to whoever waits for the last one.
    this.done.catch(() => {})
  }

  async #kill(victim: 'worker' | 'api'): Promise<void> {
    this.count++
    this.#say(`soak: kills the ${victim}`)
    const pid = await this.#stand.restart(victim)
    if (victim === 'worker') this.workerPid = pid
  }
}
