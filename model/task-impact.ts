/** AWX's default number of forks of a play that does not say. */
const defaultForks = 5
/** A provisioning callback runs for the host that asked, and AWX counts one more. */
const callbackHosts = 2

/** What decides how many forks a job counts for. */
export interface ImpactFacts {
  /** Of the unified job. */
  type: string
  launchType: string
  /** 0 where it does not say. */
  forks: number
  /** Hosts of its inventory; null when the inventory is gone, or it has none. */
  hosts: number | null
  sliceNumber: number
  sliceCount: number
  /** A container job runs no play. */
  isContainer: boolean
}

/** How many forks of a group's `max_forks` a job counts for, as AWX reckons (Job.task_impact and its like). */
export function taskImpact(job: ImpactFacts): number {
  if (job.type === 'project_update') return projectUpdateImpact(job.launchType)
  if ((job.type !== 'job' && job.type !== 'ad_hoc_command') || job.isContainer) return 1
  return jobImpact(job.launchType === 'callback' ? { ...job, hosts: callbackHosts } : job)
}

/** Hosts beyond this many change nothing of a job's impact, so nobody need count them. */
export function hostsThatMatter({ forks, sliceCount }: Pick<ImpactFacts, 'forks' | 'sliceCount'>): number {
  return (forks > 0 ? forks : defaultForks) * Math.max(1, sliceCount)
}

/**
 * How many forks of a group a playbook job counts for: as many hosts as run at once, and one for the play itself.
 * `hosts` is the inventory's total, or null when the inventory is gone.
 */
export function jobImpact(job: {
  forks: number
  hosts: number | null
  sliceNumber?: number
  sliceCount?: number
}): number {
  const forks = job.forks > 0 ? job.forks : defaultForks
  if (job.hosts === null) return forks + 1
  return Math.min(sliceShare(job.hosts, job.sliceNumber ?? 0, job.sliceCount ?? 1), forks) + 1
}

/** Hosts that slice `number` (1-based; 0 for a job that is not sliced) of `count` gets when hosts are dealt like cards. */
export function sliceShare(hosts: number, number: number, count: number): number {
  if (count <= 1 || number < 1) return hosts
  return Math.floor(hosts / count) + (number <= hosts % count ? 1 : 0)
}

/** A project update holds one fork of the control plane; one made within a job (a sync) none of its own. */
export function projectUpdateImpact(launchType: string): number {
  return launchType === 'sync' ? 0 : 1
}
