import { and, desc, eq, inArray, sql } from 'drizzle-orm'
import { resolveEnvironment } from '../../model/execution-environment.ts'
import { toWireTime } from '../../store/instant.ts'
import type { TemplateRow } from '../../store/launch/sources.ts'
import { organizations } from '../../store/schema/catalog.ts'
import { inventories } from '../../store/schema/inventory.ts'
import { unifiedJobs } from '../../store/schema/jobs.ts'
import { jobTemplateLabels } from '../../store/schema/labels.ts'
import { projects } from '../../store/schema/templates.ts'
import type { RequestContext } from '../context.ts'
import { globalEnvironment } from '../environments.ts'
import { templateCredentials } from '../jobs/credentials.ts'
import { parentSummaries } from '../jobs/job-summaries.ts'
import { labelSummaries } from '../labels/summaries.ts'
import { loadSummaries } from '../summary.ts'

/** What templates show in summary_fields besides their foreign keys; a fixed number of queries for a page. */
export async function templateSummaries(
  templates: readonly TemplateRow[],
  context: RequestContext,
): Promise<Record<string, unknown>[]> {
  const ids = templates.map((template) => template.id)
  const jobs = await parentSummaries(templates, context)
  const credentials = await templateCredentials(ids, context)
  const environments = await resolvedEnvironments(templates, context)
  const recent = await recentJobs(ids, context)
  const labels = await labelSummaries(jobTemplateLabels, jobTemplateLabels.jobTemplateId, ids, context)
  return templates.map((template, index) => ({
    ...jobs[index],
    labels: labels.get(template.id) ?? { count: 0, results: [] },
    ...(environments[index] ? { resolved_environment: environments[index] } : {}),
    recent_jobs: recent.get(template.id) ?? [],
    credentials: (credentials.get(template.id) ?? []).map((credential) => credential.summary),
    ...('spec' in template.surveySpec
      ? { survey: { title: template.surveySpec.name ?? '', description: template.surveySpec.description ?? '' } }
      : {}),
  }))
}

async function resolvedEnvironments(templates: readonly TemplateRow[], context: RequestContext) {
  const { db } = context
  const of = <T extends { id: number }>(rows: T[]) => new Map(rows.map((row) => [row.id, row]))
  const projectRows = of(
    await db
      .select({ id: projects.id, environment: projects.defaultEnvironmentId })
      .from(projects)
      .where(inArray(projects.id, present(templates.map((template) => template.projectId)))),
  )
  const inventoryRows = of(
    await db
      .select({ id: inventories.id, organizationId: inventories.organizationId })
      .from(inventories)
      .where(inArray(inventories.id, present(templates.map((template) => template.inventoryId)))),
  )
  const organizationIds = [
    ...templates.map((template) => template.organizationId),
    ...[...inventoryRows.values()].map((inventory) => inventory.organizationId),
  ]
  const organizationRows = of(
    await db
      .select({ id: organizations.id, environment: organizations.defaultEnvironmentId })
      .from(organizations)
      .where(inArray(organizations.id, present(organizationIds))),
  )
  const global = await globalEnvironment(context)
  const resolved = templates.map((template) =>
    resolveEnvironment({
      template: template.executionEnvironmentId,
      project: projectRows.get(template.projectId ?? 0)?.environment,
      organization: organizationRows.get(template.organizationId ?? 0)?.environment,
      inventoryOrganization: organizationRows.get(inventoryRows.get(template.inventoryId ?? 0)?.organizationId ?? 0)
        ?.environment,
      global: global?.id,
    }),
  )
  const summaries = await loadSummaries(context.registry.get('execution_environments'), present(resolved), context)
  return resolved.map((id) => (id === null ? undefined : summaries.get(id)))
}

const present = (ids: (number | null)[]): number[] => [...new Set(ids.filter((id) => id !== null))]

/** A job as `summary_fields.recent_jobs` shows it. */
export interface RecentJob {
  id: number
  status: string
  finished: string | null
  canceled_on: string | null
  type: string
}

/** The last ten jobs of each template, newest first. */
export async function recentJobs(ids: number[], context: RequestContext): Promise<Map<number, RecentJob[]>> {
  const ranked = context.db
    .select({
      templateId: unifiedJobs.unifiedJobTemplateId,
      id: unifiedJobs.id,
      status: unifiedJobs.status,
      finished: unifiedJobs.finished,
      canceledOn: unifiedJobs.canceledOn,
      type: unifiedJobs.type,
      rank: sql<number>`row_number() OVER (PARTITION BY ${unifiedJobs.unifiedJobTemplateId} ORDER BY ${desc(unifiedJobs.id)})`.as(
        'rank',
      ),
    })
    .from(unifiedJobs)
    // A sliced job is shown, its slices are not.
    .where(and(inArray(unifiedJobs.unifiedJobTemplateId, ids), eq(unifiedJobs.jobSliceNumber, 0)))
    .as('ranked')
  const rows = await context.db.select().from(ranked).where(sql`${ranked.rank} <= 10`).orderBy(desc(ranked.id))
  const map = new Map<number, RecentJob[]>()
  for (const { templateId, id, status, finished, canceledOn, type } of rows) {
    const job = { id, status, finished: toWireTime(finished), canceled_on: toWireTime(canceledOn), type }
    if (templateId !== null) map.set(templateId, [...(map.get(templateId) ?? []), job])
  }
  return map
}
