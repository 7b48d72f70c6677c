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
  /** Whose turn it is among jobs that wait. Absent in histories of releases before there were priorities. */
  turn?: JobTurn
}

/** By what a job's place in a line of waiting jobs is decided: first the priority, then fair shares of organizations. */
export interface JobTurn {
  /** model/priority.ts */
  priority: number
  /** Null: of none; such jobs share as if they were of one organization. */
  organizationId: number | null
  /** The organization's share, relative to those of others. */
  weight: number
}
