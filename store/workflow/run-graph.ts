import { eq } from 'drizzle-orm'
import type { JobStatus } from '../../model/job.ts'
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
  /** Its job was asked to end. */
  jobCancelFlag: boolean
  reuseJobId: number | null
}

/** A workflow job's graph. */
export interface RunGraph {
  nodes: RunNode[]
  edges: GraphEdge[]
}

/** Reads the graph of a workflow job with the present statuses of its nodes' jobs: two queries whatever its size. */
export async function readRunGraph(db: Database, workflowJobId: number): Promise<RunGraph> {
  const node = workflowJobNodes
  const rows = await db
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
      status: unifiedJobs.status,
      jobCancelFlag: unifiedJobs.cancelFlag,
    })
    .from(node)
    .leftJoin(unifiedJobs, eq(unifiedJobs.id, node.jobId))
    .where(eq(node.workflowJobId, workflowJobId))
    .orderBy(node.id)
  const edges = await db
    .select({
      parentId: workflowJobEdges.parentId,
      childId: workflowJobEdges.childId,
      kind: workflowJobEdges.kind,
    })
    .from(workflowJobEdges)
    .innerJoin(node, eq(node.id, workflowJobEdges.childId))
    .where(eq(node.workflowJobId, workflowJobId))
  return {
    nodes: rows.map((row) => ({
      ...row,
      jobCancelFlag: row.jobCancelFlag ?? false,
      status: row.status as JobStatus | null,
      hasTemplate: row.templateId !== null && row.templateType !== null,
    })),
    edges,
  }
}
