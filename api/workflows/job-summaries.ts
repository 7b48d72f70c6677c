import { eq, inArray } from 'drizzle-orm'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { workflowJobTemplates } from '../../store/schema/workflows.ts'
import type { RequestContext } from '../context.ts'
import { elapsedSeconds, type JobRow } from '../jobs/fields.ts'
import { jobLink } from './template-kinds.ts'

interface Ancestor {
  id: number
  type: string
  name: string
  description: string
  status: string
  failed: boolean
  elapsed: number
  parentId: number | null
  workflowTemplate: { id: number; name: string; description: string } | null
}

/** More nestings than anybody makes; each costs a query. */
const deepest = 20

/** Workflow jobs by id with all that they are nested in. */
async function loadAncestors(ids: readonly number[], context: RequestContext): Promise<Map<number, Ancestor>> {
  const known = new Map<number, Ancestor>()
  let wanted = [...new Set(ids)]
  for (let depth = 0; wanted.length > 0 && depth < deepest; depth++) {
    const rows = await context.db
      .select({ job: unifiedJobs, template: workflowJobTemplates })
      .from(unifiedJobs)
      .leftJoin(workflowJobTemplates, eq(workflowJobTemplates.id, unifiedJobs.workflowJobTemplateId))
      .where(inArray(unifiedJobs.id, wanted))
    for (const { job, template } of rows) {
      const { id, type, name, description, status, failed, workflowJobId: parentId } = job
      const elapsed = elapsedSeconds(job, new Date(context.now).getTime())
      const workflowTemplate = template && { id: template.id, name: template.name, description: template.description }
      known.set(id, { id, type, name, description, status, failed, elapsed, parentId, workflowTemplate })
    }
    wanted = rows.flatMap(({ job }) =>
      job.workflowJobId === null || known.has(job.workflowJobId) ? [] : job.workflowJobId,
    )
  }
  return known
}

/**
 * What jobs that nodes of workflows made show of where they come from: `source_workflow_job`, and `ancestor_job`, the outermost one. Jobs that nobody's node
 * made show nothing. `approval` adds what only approvals show.
 */
export async function workflowOriginSummaries(
  jobs: readonly JobRow[],
  context: RequestContext,
  approval = false,
): Promise<Record<string, unknown>[]> {
  const known = await loadAncestors(
    jobs.flatMap((job) => job.workflowJobId ?? []),
    context,
  )
  return jobs.map(({ workflowJobId }) => {
    const source = known.get(workflowJobId ?? 0)
    if (!source) return {}
    let outermost = source
    for (let above = source; above.parentId !== null; outermost = above) {
      const next = known.get(above.parentId)
      if (!next) break
      above = next
    }
    const { id, name, description, status, failed, elapsed } = source
    return {
      ...(approval
        ? {
            ...(source.workflowTemplate ? { workflow_job_template: source.workflowTemplate } : {}),
            workflow_job: { id, name, description },
          }
        : {}),
      source_workflow_job: { id, name, description, status, failed, elapsed },
      ancestor_job: {
        id: outermost.id,
        name: outermost.name,
        type: outermost.type,
        url: jobLink(outermost.type, outermost.id),
      },
    }
  })
}

/** `related.source_workflow_job` of a job that a workflow's node made. */
export function sourceWorkflowLink({ workflowJobId }: Pick<JobRow, 'workflowJobId'>): string | null {
  return jobLink('workflow_job', workflowJobId)
}
