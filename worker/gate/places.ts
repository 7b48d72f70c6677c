/**
 * The places of one group that are taken, by pod name: pods that the watch shows as live, and claims (rows of live attempts). A claim whose
 * pod the watch has not shown yet counts as well, and so does a pod without a claim; the union counts each once.
 */
export class Places {
  #pods: ReadonlySet<string> = new Set()
  #claims: Set<string> = new Set()

  get taken(): number {
    let count = this.#pods.size
    for (const name of this.#claims) if (!this.#pods.has(name)) count++
    return count
  }

  /** Replaces what the watch shows. */
  showPods(names: ReadonlySet<string>): void {
    this.#pods = names
  }

  /** Replaces the claims by what the store says. */
  showClaims(names: Iterable<string>): void {
    this.#claims = new Set(names)
  }

  claimed(name: string): void {
    this.#claims.add(name)
  }

  released(name: string): void {
    this.#claims.delete(name)
  }
}
