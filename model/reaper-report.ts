/** Why the reaper deletes a pod, ends a job or gives a place back. */
export type ReaperReason =
  /** No attempt and no test owns the pod, or the one that did has ended. */
  | 'no_owner'
  /** The workflow of its job is gone: it was terminated, or Temporal has forgotten it. */
  | 'workflow_gone'
  /** Its job stands in the queue again, so nobody goes on with the place that it had. */
  | 'left_in_queue'
  /** It was kept to be looked into, and its time is over. */
  | 'hold_over'

/** What became of something that the reaper found; `due` and `waits` are all that a dry run says. */
export type ReaperOutcome =
  /** A pass that is no dry run would see to it. */
  | 'due'
  /** It is younger than the grace time, so nothing is done yet. */
  | 'waits'
  | 'done'
  /** It could not be done; `message` says why, and the next pass tries again. */
  | 'failed'

/** A pod, place or job that no live workflow owns. */
export interface ReaperFinding {
  kind: 'pod' | 'attempt' | 'job'
  /** Host of the API server; '' for a job. */
  cluster: string
  instance_group: number | null
  namespace: string
  pod: string
  job: number | null
  reason: ReaperReason
  outcome: ReaperOutcome
  /** Seconds since it should have been gone; 0 while it waits. */
  overdue: number
  message: string
}

/** A cluster as a pass found it. */
export interface ReapedCluster {
  /** Name of one of its groups. */
  name: string
  host: string
  pods: number
  /** Why it could not be listed; '' where it could. */
  error: string
}

/** Pods of a group that no live workflow owns. */
export interface GroupDebt {
  /** Null for pods whose group cannot be told. */
  instance_group: number | null
  pods: number
  /** How long they should have been gone, all together. */
  seconds: number
  /** The longest of them. */
  longest: number
}

/** What a pass of the reaper found and did. */
export interface ReaperReport {
  /** What is left after it: everything of a dry run, and after another one what waits and what could not be removed. */
  debt: GroupDebt[]
  clusters: ReapedCluster[]
  findings: ReaperFinding[]
  /** Findings beyond those that are listed. */
  omitted: number
}

/** Findings that a report lists. */
const listed = 500

/** The debt that findings leave, by group, largest first; places and jobs without a pod are none. */
export function debtOf(findings: readonly ReaperFinding[]): GroupDebt[] {
  const byGroup = new Map<number | null, GroupDebt>()
  const seen = new Set<string>()
  for (const { cluster, namespace, pod, outcome, instance_group, overdue } of findings) {
    const key = `${cluster}/${namespace}/${pod}`
    // The pod of an abandoned place is found once as that and once as a pod, where it is found at all.
    if (pod === '' || outcome === 'done' || seen.has(key)) continue
    seen.add(key)
    const debt = byGroup.get(instance_group) ?? { instance_group, pods: 0, seconds: 0, longest: 0 }
    debt.pods++
    debt.seconds += overdue
    debt.longest = Math.max(debt.longest, overdue)
    byGroup.set(instance_group, debt)
  }
  return [...byGroup.values()].sort((one, other) => other.seconds - one.seconds || other.pods - one.pods)
}

/** A report of these findings, of which the most pressing are listed. */
export function reaperReport(clusters: ReapedCluster[], findings: readonly ReaperFinding[]): ReaperReport {
  const pressing = [...findings].sort((one, other) => other.overdue - one.overdue)
  return {
    debt: debtOf(findings),
    clusters: [...clusters].sort((one, other) => one.name.localeCompare(other.name)),
    findings: pressing.slice(0, listed),
    omitted: Math.max(0, findings.length - listed),
  }
}
