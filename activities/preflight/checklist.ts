import { type CheckName, checkNames, type PreflightCheck, type PreflightReport } from '../../model/preflight.ts'
import { type Finding, findingOf, skipped } from './findings.ts'

/** The checks of one test as they are made. What was never looked at is `skipped`, and says because of what. */
export class Checklist {
  readonly #checks = new Map<CheckName, PreflightCheck>()
  readonly #started = new Date().toISOString()
  #broken: CheckName | undefined

  /**
   * Makes a check, unless one before it failed: then what it builds on does not hold. Resolves with what `look` found beside its finding; undefined when there
   * is nothing to go on with. An error that is the cluster's is a finding.
   */
  async check<Found>(name: CheckName, look: () => Promise<Finding & { found?: Found }>): Promise<Found | undefined> {
    if (this.#broken) return undefined
    const begun = performance.now()
    let finding: Finding & { found?: Found }
    try {
      finding = await look()
    } catch (error) {
      finding = findingOf(error)
    }
    const { found, ...told } = finding
    this.note(name, told, performance.now() - begun)
    return found
  }

  /** Notes what came out while something else was looked at. */
  note(name: CheckName, finding: Finding, elapsed = 0): void {
    this.#checks.set(name, { name, ...finding, elapsed: Math.round(elapsed) })
    if (finding.outcome === 'failed') this.#broken ??= name
  }

  /** Whether nothing has failed so far. */
  get sound(): boolean {
    return this.#broken === undefined
  }

  /** The report of these checks; `untested` says why some are left out. */
  report(names: readonly CheckName[] = checkNames, untested = 'Nobody asked for it.'): PreflightReport {
    const why = this.#broken ? `Left out because the check "${this.#broken}" failed.` : untested
    return {
      ok: this.sound,
      started: this.#started,
      finished: new Date().toISOString(),
      checks: names.map((name) => this.#checks.get(name) ?? { name, ...skipped(why), elapsed: 0 }),
    }
  }
}
