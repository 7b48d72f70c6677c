import { eq, inArray } from 'drizzle-orm'
import type { Database } from './database.ts'
import type { JobRow } from './job-status.ts'
import { unifiedJobs } from './schema/jobs.ts'
import { schedules } from './schema/schedules.ts'

/** A schedule by name. */
export interface NamedSchedule {
  id: number
  name: string
}

/** What launched a job when no user did: its schedule, and the workflow job whose node made it, with the schedule of that one. */
export interface JobOrigin {
  schedule: NamedSchedule | null
  workflow: { id: number; name: string; launchType: string; schedule: NamedSchedule | null } | null
}

/** Reads what launched a job; without a query for a job that a user launched. */
export async function readOrigin(db: Database, { scheduleId, workflowJobId }: JobRow): Promise<JobOrigin> {
  if (scheduleId === null && workflowJobId === null) return { schedule: null, workflow: null }
  const [workflow] =
    workflowJobId === null
      ? []
      : await db
          .select({
            id: unifiedJobs.id,
            name: unifiedJobs.name,
            launchType: unifiedJobs.launchType,
            scheduleId: unifiedJobs.scheduleId,
          })
          .from(unifiedJobs)
          .where(eq(unifiedJobs.id, workflowJobId))
  const ids = [scheduleId, workflow?.scheduleId].filter((id) => typeof id === 'number')
  const found =
    ids.length === 0
      ? []
      : await db.select({ id: schedules.id, name: schedules.name }).from(schedules).where(inArray(schedules.id, ids))
  const named = (id: number | null) => found.find((schedule) => schedule.id === id) ?? null
  if (!workflow) return { schedule: named(scheduleId), workflow: null }
  const { scheduleId: ofWorkflow, ...rest } = workflow
  return { schedule: named(scheduleId), workflow: { ...rest, schedule: named(ofWorkflow) } }
}
