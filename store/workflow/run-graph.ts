import { type Column, eq, type SQL, sql } from 'drizzle-orm'
import type { GraphEdge, GraphNode } from '../../model/workflow/graph.ts'
import type { Database } from '../database.ts'
import { unifiedJobs } from '../schema/jobs.ts'
import { workflowJobEdges, workflowJobNodes } from '../schema/workflow-jobs.ts'
import type { NodeTemplateType } from '../schema/workflows.ts'

/** A node of a workflow job with the state of its job. */
export interface RunNode extends GraphNode {
  identifier: string
  templateId: number | null
  templateType: NodeTemplateType | null
  jobId: number | null
  /** The Temporal run that owns its job; null when there is no job, or nobody has begun it. */
  jobRunId: string | null
  /** Its job was asked to end. */
  jobCancelFlag: boolean
  reuseJobId: number | null
}

/** A workflow job's graph. */
export interface RunGraph {
  nodes: RunNode[]
  edges: GraphEdge[]
}

/**
 * Reads the graph of a workflow job with the present statuses of its nodes' jobs: three queries whatever its size. They are given ids instead of
 * being joins: of nodes that were just made the database has no statistics, and it would plan joins for a handful of them.
 */
export async function readRunGraph(db: Database, workflowJobId: number): Promise<RunGraph> {
  const node = workflowJobNodes
  const nodes = await db
    .select({
      id: node.id,
      identifier: node.identifier,
      allParentsMustConverge: node.allParentsMustConverge,
      doNotRun: node.doNotRun,
      skipped: node.skipped,
      templateId: node.unifiedJobTemplateId,
      templateType: node.templateType,
      jobId: node.jobId,
      reuseJobId: node.reuseJobId,
    })
    .from(node)
    .where(eq(node.workflowJobId, workflowJobId))
    .orderBy(node.id)
  const jobIds = nodes.flatMap(({ jobId }) => jobId ?? [])
  const jobs = await db
    .select({
      id: unifiedJobs.id,
      status: unifiedJobs.status,
      runId: unifiedJobs.runId,
      cancelFlag: unifiedJobs.cancelFlag,
    })
    .from(unifiedJobs)
    .where(anyOf(unifiedJobs.id, jobIds))
  const { parentId, childId, kind } = workflowJobEdges
  const edges = await db
    .select({ parentId, childId, kind })
    .from(workflowJobEdges)
    .where(
      anyOf(
        childId,
        nodes.map(({ id }) => id),
      ),
    )
  const byId = new Map(jobs.map((job) => [job.id, job]))
  return {
    nodes: nodes.map((one) => {
      const job = one.jobId === null ? undefined : byId.get(one.jobId)
      return {
        ...one,
        status: job?.status ?? null,
        jobRunId: job?.runId ?? null,
        jobCancelFlag: job?.cancelFlag ?? false,
        hasTemplate: one.templateId !== null && one.templateType !== null,
      }
    }),
    edges,
  }
}

/** `column = ANY (ids)`, with all ids as one parameter. */
export function anyOf(column: Column, ids: readonly number[]): SQL {
  return sql`${column} = ANY(${sql.param([...ids])}::int[])`
}
