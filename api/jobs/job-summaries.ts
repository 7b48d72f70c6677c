import { eq, inArray } from 'drizzle-orm'
import { toWireTime } from '../../store/instant.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { jobTemplates } from '../../store/schema/templates.ts'
import type { RequestContext } from '../context.ts'

/** What others show of a job. */
export interface JobSummary {
  id: number
  type: string
  name: string
  description: string
  finished: string | null
  canceledOn: string | null
  status: string
  failed: boolean
  jobTemplateId: number | null
  jobTemplateName: string | null
}

/** Jobs by id, for summary_fields of templates, projects and hosts. */
export async function loadJobSummaries(
  ids: readonly (number | null)[],
  context: RequestContext,
): Promise<Map<number, JobSummary>> {
  const wanted = [...new Set(ids.filter((id) => id !== null))]
  if (wanted.length === 0) return new Map()
  const rows = await context.db
    .select({
      id: unifiedJobs.id,
      type: unifiedJobs.type,
      name: unifiedJobs.name,
      description: unifiedJobs.description,
      finished: unifiedJobs.finished,
      canceledOn: unifiedJobs.canceledOn,
      status: unifiedJobs.status,
      failed: unifiedJobs.failed,
      jobTemplateId: unifiedJobs.jobTemplateId,
      jobTemplateName: jobTemplates.name,
    })
    .from(unifiedJobs)
    .leftJoin(jobTemplates, eq(jobTemplates.id, unifiedJobs.jobTemplateId))
    .where(inArray(unifiedJobs.id, wanted))
  return new Map(
    rows.map((row) => [row.id, { ...row, finished: toWireTime(row.finished), canceledOn: toWireTime(row.canceledOn) }]),
  )
}

/** A template or project with the jobs AWX keeps of it. */
interface Parent {
  lastJobId: number | null
  currentJobId: number | null
  nextScheduleId: number | null
}

/** `current_job`, `current_update`, `last_job` and `last_update` of templates and projects, in the order of the rows. */
export async function parentSummaries(
  parents: readonly Parent[],
  context: RequestContext,
): Promise<Record<string, unknown>[]> {
  const jobs = await loadJobSummaries(
    parents.flatMap((parent) => [parent.lastJobId, parent.currentJobId]),
    context,
  )
  return parents.map((parent) => {
    const last = jobs.get(parent.lastJobId ?? 0)
    const current = jobs.get(parent.currentJobId ?? 0)
    return {
      ...(current ? { current_job: short(current), current_update: short(current) } : {}),
      ...(last
        ? {
            last_job: {
              ...short(last),
              finished: last.finished,
              ...(last.canceledOn ? { canceled_on: last.canceledOn } : {}),
            },
            last_update: short(last),
          }
        : {}),
    }
  })
}

/** Links beside those summaries, and to the schedule that runs next; `path` is where its jobs live. */
export function parentLinks(parent: Parent, path: string): Record<string, string | null> {
  const link = (id: number | null) => (id === null ? null : `/api/v2/${path}/${id}/`)
  const [last, current] = [link(parent.lastJobId), link(parent.currentJobId)]
  const { nextScheduleId } = parent
  const next = { next_schedule: nextScheduleId === null ? null : `/api/v2/schedules/${nextScheduleId}/` }
  // Templates link their jobs only; what is updated its updates under both names.
  return !path.endsWith('_updates')
    ? { ...next, last_job: last, current_job: current }
    : { ...next, last_job: last, last_update: last, current_job: current, current_update: current }
}

const short = ({ id, name, description, status, failed }: JobSummary) => ({ id, name, description, status, failed })
