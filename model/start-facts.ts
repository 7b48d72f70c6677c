import type { JobType } from './job.ts'

/** What Temporal is told of a job at its start, for operators who search there. */
export interface StartFacts {
  type: JobType
  name: string
  template: string | null
  organization: string | null
  launchedBy: string | null
  /** Identity of the job beyond its number: UUID of the installation, and when its row was made. */
  installation: string
  created: string
}
