import type { JobType } from './job.ts'

/** What Temporal is told of a job at its start, for operators who search there. */
export interface StartFacts {
  type: JobType
  name: string
  template: string | null
  organization: string | null
  launchedBy: string | null
}
