import { eachConcurrently } from '../../model/concurrently.ts'
import type { ReapedCluster, ReaperFinding } from '../../model/reaper-report.ts'
import type { ReapReport } from '../types.ts'
import { Pace } from './pace.ts'

/** How long a pass goes on deleting; what is left is the next one's, so that each comes to its end and tells what it found. */
const longestMs = 5 * 60_000
/** Deletions under way at once, most of which only wait for a pod to end: one that does not must not keep the others. */
const atOnce = 32

/** One pass of the reaper while it is made. */
export class ReaperPass {
  readonly dryRun: boolean
  /** Aborts when this worker is to stop. */
  readonly asked: AbortSignal
  readonly counts: Omit<ReapReport, 'dryRun' | 'debtPods'> = {
    ...{ podsSeen: 0, podsDeleted: 0, jobsEnded: 0, attemptsReleased: 0, keysForgotten: 0 },
    notificationsGivenUp: 0,
    unreachable: [],
  }
  readonly findings: ReaperFinding[] = []
  readonly clusters: ReapedCluster[] = []
  readonly #deletesPerSecond: number
  readonly #paces = new Map<string, Pace>()
  readonly #until = performance.now() + longestMs

  constructor(options: { dryRun: boolean; deletesPerSecond: number; asked: AbortSignal }) {
    this.dryRun = options.dryRun
    this.asked = options.asked
    this.#deletesPerSecond = options.deletesPerSecond
  }

  /** Notes what was found, and unless it waits or this is a dry run, sees to it; the finding says what became of it. */
  async seeTo(finding: ReaperFinding, act: () => Promise<void>): Promise<void> {
    this.findings.push(finding)
    if (finding.outcome === 'waits' || this.dryRun || performance.now() > this.#until) return
    try {
      await act()
      finding.outcome = 'done'
    } catch (error) {
      finding.outcome = 'failed'
      finding.message = messageOf(error)
      this.counts.unreachable.push(`${finding.namespace}/${finding.pod}: ${finding.message}`)
    }
  }

  /** Resolves when another pod of this cluster (by its key) may be deleted. */
  async turn(clusterKey: string): Promise<void> {
    const pace = this.#paces.get(clusterKey) ?? new Pace(this.#deletesPerSecond)
    this.#paces.set(clusterKey, pace)
    await pace.turn(this.asked)
  }
}

/** Does something to all items, a few at a time. */
export async function each<Item>(items: Iterable<Item>, act: (item: Item) => Promise<void>): Promise<void> {
  await eachConcurrently(items, atOnce, act)
}

/** Seconds beyond the grace time since an instant, whole; negative: it waits still. */
export function secondsOverdue(since: string, graceSeconds: number): number {
  return Math.floor((Date.now() - Date.parse(since)) / 1000 - graceSeconds)
}

/** An error's words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
