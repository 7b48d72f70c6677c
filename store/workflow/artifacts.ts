import { and, asc, eq, inArray } from 'drizzle-orm'
import { mergeVariables, type Variables } from '../../model/variables.ts'
import { inheritedArtifacts } from '../../model/workflow/variables.ts'
import type { Database } from '../database.ts'
import { unifiedJobs } from '../schema/jobs.ts'
import { workflowJobEdges, workflowJobNodes } from '../schema/workflow-jobs.ts'

/** What a node inherits from the nodes above it, as things stand now. */
export async function readInherited(db: Database, nodeId: number): Promise<Variables> {
  const parents = await db
    .select({
      nodeId: workflowJobNodes.id,
      inherited: workflowJobNodes.ancestorArtifacts,
      jobId: unifiedJobs.id,
      type: unifiedJobs.type,
      artifacts: unifiedJobs.artifacts,
    })
    .from(workflowJobEdges)
    .innerJoin(workflowJobNodes, eq(workflowJobNodes.id, workflowJobEdges.parentId))
    .leftJoin(unifiedJobs, eq(unifiedJobs.id, workflowJobNodes.jobId))
    .where(eq(workflowJobEdges.childId, nodeId))
  const all = []
  for (const { nodeId: parentId, inherited, jobId, type, artifacts } of parents) {
    const own = type === 'workflow_job' && jobId !== null ? await workflowArtifacts(db, jobId) : (artifacts ?? {})
    all.push({ nodeId: parentId, inherited, own })
  }
  return inheritedArtifacts(all)
}

/** What a workflow in a workflow hands on: the artifacts of its successful and failed jobs, later ends win. */
async function workflowArtifacts(db: Database, workflowJobId: number): Promise<Variables> {
  const jobs = await db
    .select({ id: unifiedJobs.id, type: unifiedJobs.type, artifacts: unifiedJobs.artifacts })
    .from(workflowJobNodes)
    .innerJoin(unifiedJobs, eq(unifiedJobs.id, workflowJobNodes.jobId))
    .where(
      and(
        eq(workflowJobNodes.workflowJobId, workflowJobId),
        inArray(unifiedJobs.type, ['job', 'workflow_job']),
        inArray(unifiedJobs.status, ['successful', 'failed']),
      ),
    )
    .orderBy(asc(unifiedJobs.finished), asc(unifiedJobs.id))
  const sets: Variables[] = []
  for (const { id, type, artifacts } of jobs) {
    sets.push(type === 'workflow_job' ? await workflowArtifacts(db, id) : artifacts)
  }
  return mergeVariables(...sets)
}

/** Keeps what a node inherits, when it inherits anything: its children inherit it from there. */
export async function keepInherited(tx: Database, nodeId: number, inherited: Variables): Promise<void> {
  if (Object.keys(inherited).length === 0) return
  await tx.update(workflowJobNodes).set({ ancestorArtifacts: inherited }).where(eq(workflowJobNodes.id, nodeId))
}
