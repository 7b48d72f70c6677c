import { isFinal, type JobStatus } from './job.ts'

/** The newest update of a project, as far as it matters for a job that is about to run. Times in milliseconds since 1970, null before. */
export interface NewestUpdate {
  status: JobStatus
  startedMs: number | null
  finishedMs: number | null
}

/** The job that asks, and for how long an update serves those who come later. */
export interface UpdateWish {
  /** When the job was launched, or begun anew. */
  launchedMs: number
  nowMs: number
  cacheSeconds: number
}

/**
 * What a job of a project with update on launch does about it, as AWX's dependency manager decides it: wait for the update at work, make do with one that is
 * young enough, or have a new one made. An update that began after the job was launched is the job's own as much as anybody's, however it
 * ended, so that many jobs launched together lead to one update.
 */
export function updateOnLaunch(
  newest: NewestUpdate | null,
  { launchedMs, nowMs, cacheSeconds }: UpdateWish,
): 'join' | 'reuse' | 'make' {
  if (!newest) return 'make'
  if (!isFinal(newest.status)) return 'join'
  if (newest.startedMs !== null && newest.startedMs >= launchedMs) return 'join'
  const isYoung = newest.finishedMs !== null && nowMs - newest.finishedMs < cacheSeconds * 1000
  return newest.status === 'successful' && isYoung ? 'reuse' : 'make'
}

/** A branch of a job's own, which is not the project's: its revision is found out for each job. */
export function overridesBranch(job: { scmBranch: string }, project: { scmType: string; scmBranch: string }): boolean {
  return project.scmType === 'git' && job.scmBranch !== '' && job.scmBranch !== project.scmBranch
}

/** The sentence by which AWX's clients know the job that another one depended on; they parse what stands behind the colon. */
export function previousTask(what: 'Failed' | 'Canceled', task: { type: string; name: string; id: number }): string {
  const link = { job_type: task.type, job_name: task.name, job_id: String(task.id) }
  const fields = Object.entries(link).map(([key, value]) => `"${key}": ${JSON.stringify(value)}`)
  return `Previous Task ${what}: {${fields.join(', ')}}`
}
