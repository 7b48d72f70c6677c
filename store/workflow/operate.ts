import { and, eq, inArray, isNull } from 'drizzle-orm'
import { countsAsFailed, isFinal } from '../../model/job.ts'
import { descendants } from '../../model/workflow/graph.ts'
import { channels } from '../channel.ts'
import type { Database } from '../database.ts'
import type { JobRow } from '../job-status.ts'
import { lockJobIfThere } from '../lock-order.ts'
import { notify } from '../notify.ts'
import { enqueue } from '../outbox.ts'
import { unifiedJobs } from '../schema/jobs.ts'
import { workflowJobNodes } from '../schema/workflow-jobs.ts'
import { retire } from './continue.ts'
import { type RunNode, readRunGraph } from './run-graph.ts'

/** What an operator asked for cannot be done; the message says why and what can be done instead. */
export class NotNowError extends Error {
  override readonly name = 'NotNowError'
}

/** Keeps a workflow job from starting further nodes, or lets it go on. What runs is not touched. Repeating changes nothing. */
export async function setPaused(db: Database, workflowJobId: number, paused: boolean): Promise<void> {
  await db.transaction(async (tx) => {
    await lockRun(tx, workflowJobId, paused ? 'be paused' : 'be resumed')
    await tx.update(unifiedJobs).set({ paused }).where(eq(unifiedJobs.id, workflowJobId))
    await enqueue(tx, 'progress', workflowJobId)
    await notify(tx, channels.jobs, workflowJobId)
  })
}

/** Gives a failed node another job while its run is active. What follows from the failure and has not run yet is decided anew. */
export async function retryNode(db: Database, nodeId: number): Promise<void> {
  await db.transaction(async (tx) => {
    const { node } = await lockFailedNode(tx, nodeId, 'retried')
    await retire(tx, nodeId, node.jobId)
  })
}

/** Lets the run go on as if a failed node had succeeded. */
export async function skipNode(db: Database, nodeId: number): Promise<void> {
  await db.transaction(async (tx) => {
    await lockFailedNode(tx, nodeId, 'skipped')
    await tx.update(workflowJobNodes).set({ skipped: true }).where(eq(workflowJobNodes.id, nodeId))
  })
}

async function lockRun(tx: Database, workflowJobId: number, verb: string): Promise<JobRow> {
  const run = await lockJobIfThere(tx, workflowJobId)
  if (!run) throw new NotNowError('The workflow job does not exist any more.')
  if (isFinal(run.status)) {
    throw new NotNowError(
      `The workflow job has ended, so it cannot ${verb}. Continue it instead: POST /api/v2/workflow_jobs/${run.id}/continue/.`,
    )
  }
  if (run.cancelFlag) throw new NotNowError(`The workflow job is being canceled, so it cannot ${verb}.`)
  return run
}

/** Locks the run of a node that failed, opens the decisions that follow from the failure, and lets the run look again. */
async function lockFailedNode(tx: Database, nodeId: number, verb: string): Promise<{ node: RunNode }> {
  const [found] = await tx
    .select({ workflowJobId: workflowJobNodes.workflowJobId })
    .from(workflowJobNodes)
    .where(eq(workflowJobNodes.id, nodeId))
  if (!found) throw new NotNowError('The node does not exist any more.')
  await lockRun(tx, found.workflowJobId, `have nodes ${verb}`)
  const { nodes, edges } = await readRunGraph(tx, found.workflowJobId)
  const node = nodes.find(({ id }) => id === nodeId)
  if (!node || node.skipped || node.status === null || !countsAsFailed(node.status)) {
    throw new NotNowError(`Only a node whose job has failed can be ${verb}.`)
  }
  const below = [...descendants(edges, [nodeId])].filter((id) => id !== nodeId)
  if (below.length > 0) {
    await tx
      .update(workflowJobNodes)
      .set({ doNotRun: false })
      .where(and(inArray(workflowJobNodes.id, below), isNull(workflowJobNodes.jobId)))
  }
  await enqueue(tx, 'progress', found.workflowJobId)
  return { node }
}
