import type { Taken } from '../../model/capacity.ts'

/**
 * The places of one group that are taken, by pod name and each with its impact: pods that the watch shows as live, and claims (rows of live
 * attempts). A claim whose pod the watch has not shown yet counts as well, and so does a pod without a claim; the union counts each once.
 * Nothing is counted up or down, so no order of news can make it drift.
 */
export class Places {
  #pods: ReadonlyMap<string, number> = new Map()
  #claims: Map<string, number> = new Map()
  /** What is heard while the store is being read: the impact of a claim, null for one that is over. */
  #heard: Map<string, number | null> | undefined

  get taken(): Taken {
    let jobs = this.#pods.size
    let forks = 0
    for (const [name, impact] of this.#pods) forks += this.#claims.get(name) ?? impact
    for (const [name, impact] of this.#claims) {
      if (this.#pods.has(name)) continue
      jobs++
      forks += impact
    }
    return { jobs, forks }
  }

  /** Claims whose pod has not been seen: they hold places, and nothing of the cluster yet as far as it has told. */
  get unseen(): number {
    let count = 0
    for (const name of this.#claims.keys()) if (!this.#pods.has(name)) count++
    return count
  }

  /** Replaces what the watch shows. */
  showPods(pods: ReadonlyMap<string, number>): void {
    this.#pods = pods
  }

  /** The store is about to be read. */
  reading(): void {
    this.#heard = new Map()
  }

  /** Replaces the claims by what the store said, and by what was heard since `reading`: the answer may be older than that. */
  showClaims(claims: Iterable<readonly [name: string, impact: number]>): void {
    this.#claims = new Map(claims)
    for (const [name, impact] of this.#heard ?? []) {
      if (impact === null) this.#claims.delete(name)
      else this.#claims.set(name, impact)
    }
    this.#heard = undefined
  }

  claimed(name: string, impact: number): void {
    this.#heard?.set(name, impact)
    this.#claims.set(name, impact)
  }

  /** A claim is over. False when it was not known, or known to be over. */
  released(name: string): boolean {
    this.#heard?.set(name, null)
    return this.#claims.delete(name)
  }
}
