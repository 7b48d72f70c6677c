/** AWX's default number of forks of a play that does not say. */
const defaultForks = 5

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
