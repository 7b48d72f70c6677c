import type { WorkflowTemplateRow } from '../../store/launch/workflow-template.ts'
import { workflowJobTemplateLabels } from '../../store/schema/labels.ts'
import type { RequestContext } from '../context.ts'
import { parentSummaries } from '../jobs/job-summaries.ts'
import { labelSummaries } from '../labels/summaries.ts'
import { recentJobs } from '../templates/summaries.ts'

/** What workflow job templates show in summary_fields besides their foreign keys; a fixed number of queries for a page. */
export async function workflowTemplateSummaries(
  templates: readonly WorkflowTemplateRow[],
  context: RequestContext,
): Promise<Record<string, unknown>[]> {
  const ids = templates.map(({ id }) => id)
  const jobs = await parentSummaries(templates, context)
  const recent = await recentJobs(ids, context)
  const pairs = workflowJobTemplateLabels
  const labels = await labelSummaries(pairs, pairs.workflowJobTemplateId, ids, context)
  return templates.map((template, index) => ({
    ...jobs[index],
    labels: labels.get(template.id),
    recent_jobs: recent.get(template.id) ?? [],
    ...('spec' in template.surveySpec
      ? { survey: { title: template.surveySpec.name ?? '', description: template.surveySpec.description ?? '' } }
      : {}),
  }))
}
