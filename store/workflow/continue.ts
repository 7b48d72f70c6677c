import { eq, inArray } from 'drizzle-orm'
import { isFinal } from '../../model/job.ts'
import type { Database } from '../database.ts'
import { restartJob } from '../job-status.ts'
import { workflowJobNodes } from '../schema/workflow-jobs.ts'
import { type RunNode, readRunGraph } from './run-graph.ts'

/**
 * Takes a workflow job back to pending after a Reset in Temporal: what succeeded is taken over when its turn comes, what still runs goes on, and
 * the rest runs anew.
 */
export async function restartRun(tx: Database, workflowJobId: number): Promise<void> {
  await restartJob(tx, workflowJobId)
  const { nodes } = await readRunGraph(tx, workflowJobId)
  await openAgain(
    tx,
    nodes.filter(({ status }) => status === null || isFinal(status)),
  )
}

/** Nodes whose turn is to come once more; a success is kept for then. */
async function openAgain(tx: Database, nodes: RunNode[]): Promise<void> {
  const [succeeded, others] = [
    nodes.filter(({ status, jobId }) => status === 'successful' && jobId !== null),
    nodes.filter(({ status }) => status !== 'successful'),
  ]
  for (const { id, jobId } of succeeded) {
    await tx
      .update(workflowJobNodes)
      .set({ jobId: null, reuseJobId: jobId, doNotRun: false, ancestorArtifacts: {} })
      .where(eq(workflowJobNodes.id, id))
  }
  for (const { id, jobId } of others) {
    await retire(tx, id, jobId)
  }
}

/** Takes a node's job away from it, so that its turn comes again; the job is kept as an earlier one. */
export async function retire(tx: Database, nodeId: number, jobId: number | null): Promise<void> {
  const [node] = await tx
    .select({ earlier: workflowJobNodes.earlierJobs })
    .from(workflowJobNodes)
    .where(eq(workflowJobNodes.id, nodeId))
  const earlierJobs = jobId === null ? (node?.earlier ?? []) : [...(node?.earlier ?? []), jobId]
  await tx
    .update(workflowJobNodes)
    .set({ jobId: null, earlierJobs, doNotRun: false, ancestorArtifacts: {} })
    .where(inArray(workflowJobNodes.id, [nodeId]))
}
