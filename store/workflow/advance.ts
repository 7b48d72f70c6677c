import { eq } from 'drizzle-orm'
import { type FinalStatus, isFinal } from '../../model/job.ts'
import type { StartFacts } from '../../model/start-facts.ts'
import { type Pass, pass } from '../../model/workflow/graph.ts'
import { blockerOf, waitingFor } from '../blocking.ts'
import type { Database } from '../database.ts'
import { FencedError } from '../fence.ts'
import { type JobRow, requestCancelLocked, transitionJob } from '../job-status.ts'
import { lockJobIfThere } from '../lock-order.ts'
import { workflowJobNodes } from '../schema/workflow-jobs.ts'
import type { Keyring } from '../secrets.ts'
import { readStartFacts } from '../start-facts.ts'
import { explainWaiting } from '../waiting.ts'
import { keepInherited, readInherited } from './artifacts.ts'
import { makeNodeJob, type Workflow } from './node-job.ts'
import { openWorkflow } from './node-prompts.ts'
import { anyOf, type RunGraph, type RunNode, readRunGraph } from './run-graph.ts'

/** AWX's sentence for a workflow that failed. */
const unhandled = 'No error handling paths found, marking workflow as failed'

/** Whose step it is, and how far it may go. */
export interface StepInput {
  jobId: number
  /** The Temporal run that owns the workflow job; another owner's step is refused (FencedError). */
  runId: string
  /** Jobs up to this id were started already; ids of a run's jobs only grow. */
  startedUpTo: number
  /** Jobs to make, and to return for starting, at most: a burst of starts starves everybody's first steps. */
  most: number
  /** Somebody cancelled its workflow in Temporal. */
  cancel: boolean
}

/** A job that is to be started. */
export interface NodeStart {
  jobId: number
  facts: StartFacts
}

/** What a step came to. */
export interface Step {
  /** There is no such job any more. */
  missing: boolean
  /** The workflow job, when it has ended. */
  ended: JobRow | null
  /** It is not its turn: another job of its template runs. */
  blocked: boolean
  starts: NodeStart[]
  /** There is more to make or to start at once. */
  more: boolean
  /** Jobs that are to be cancelled, because the workflow job is. */
  cancel: number[]
  /** Nodes that have ended or never run, of how many. */
  settled: number
  nodes: number
}

const nothing: Step = {
  missing: false,
  ended: null,
  blocked: false,
  starts: [],
  more: false,
  cancel: [],
  settled: 0,
  nodes: 0,
}

/**
 * One step of a workflow job: marks the nodes that will never run, makes the jobs of those whose turn has come, ends the workflow job when
 * all is done. All in the caller's transaction, so a step that is interrupted never was; and since everything it looks at is in the
 * database, a step that is repeated finds the rest.
 */
export async function advanceWorkflow(tx: Database, keyring: Keyring, input: StepInput): Promise<Step> {
  const row = await lockJobIfThere(tx, input.jobId)
  if (!row) return { ...nothing, missing: true }
  if (isFinal(row.status)) return { ...nothing, ended: row }
  if (row.runId !== input.runId) throw new FencedError(`job ${input.jobId}`, input.runId)
  const graph = await readRunGraph(tx, row.id)
  if (input.cancel && !row.cancelFlag) await requestCancelLocked(tx, row)
  if (row.cancelFlag || input.cancel) return await cancelRun(tx, row, graph)
  if (row.status === 'pending') {
    const blocker = await blockerOf(tx, row)
    if (blocker) {
      await explainWaiting(tx, row.id, 'turn', waitingFor(blocker))
      return { ...nothing, blocked: true }
    }
    await transitionJob(tx, row.id, 'running')
  }
  const slices = row.isSlicedJob ? graph.nodes.length : 0
  const workflow: Workflow = { row, keyring, slices, ...openWorkflow(keyring, row) }
  const { found, more } = await spawn(tx, workflow, graph, input.most)
  if (found.done) {
    const status = found.result
    const { job } = await transitionJob(tx, row.id, status, status === 'failed' ? { explanation: unhandled } : {})
    return { ...nothing, ended: job, ...settledOf(graph) }
  }
  const { starts, more: moreStarts } = await startsOf(tx, graph, input)
  return { ...nothing, starts, more: more || moreStarts, ...settledOf(graph) }
}

/** Goes on until nothing is runnable, or enough was made. A job that can never run has ended at once, so its children may be next. */
async function spawn(
  tx: Database,
  workflow: Workflow,
  graph: RunGraph,
  most: number,
): Promise<{ found: Pass; more: boolean }> {
  const byId = new Map(graph.nodes.map((node) => [node.id, node]))
  const get = (id: number) => byId.get(id) as RunNode
  const problems: [jobId: number, explanation: string][] = []
  let made = 0
  for (;;) {
    const reused: RunNode[] = []
    const found = pass(graph.nodes, graph.edges, (id) => {
      const node = get(id)
      if (node.reuseJobId === null || workflow.row.paused) return null
      reused.push(node)
      return 'successful'
    })
    await markDoNotRun(tx, found.doNotRun.map(get))
    for (const node of reused) await reuse(tx, node)
    const turn = workflow.row.paused ? [] : found.runnable.map(get).slice(0, most - made)
    const { gone, failed } = await makeJobs(tx, workflow, turn, problems)
    made += turn.length
    const changed = gone || failed
    if (changed && made < most) continue
    await endProblems(tx, problems)
    return { found, more: !workflow.row.paused && (changed || found.runnable.length > turn.length) }
  }
}

/** Makes the jobs of nodes, those of one template after another: so transactions lock templates in the same order. */
async function makeJobs(
  tx: Database,
  workflow: Workflow,
  turn: RunNode[],
  problems: [number, string][],
): Promise<{ gone: boolean; failed: boolean }> {
  const outcome = { gone: false, failed: false }
  if (turn.length === 0) return outcome
  const ids = turn.map(({ id }) => id)
  const rows = await tx.select().from(workflowJobNodes).where(anyOf(workflowJobNodes.id, ids))
  rows.sort((one, other) => (one.unifiedJobTemplateId ?? 0) - (other.unifiedJobTemplateId ?? 0) || one.id - other.id)
  const nodes = new Map(turn.map((node) => [node.id, node]))
  for (const row of rows) {
    const node = nodes.get(row.id)
    if (!node) continue
    const inherited = await readInherited(tx, row.id)
    await keepInherited(tx, row.id, inherited)
    const job = await makeNodeJob(tx, workflow, row, inherited)
    if (!job) {
      await tx
        .update(workflowJobNodes)
        .set({ unifiedJobTemplateId: null, templateType: null })
        .where(eq(workflowJobNodes.id, row.id))
      node.hasTemplate = false
      outcome.gone = true
      continue
    }
    await tx.update(workflowJobNodes).set({ jobId: job.jobId }).where(eq(workflowJobNodes.id, row.id))
    node.jobId = job.jobId
    node.status = job.problem === null ? 'pending' : 'failed'
    if (job.problem !== null) {
      problems.push([job.jobId, job.problem])
      outcome.failed = true
    }
  }
  return outcome
}

/** Last in the transaction: their ends put a message into the outbox, which others lock after their templates too. */
async function endProblems(tx: Database, problems: [number, string][]): Promise<void> {
  for (const [jobId, explanation] of problems) {
    await transitionJob(tx, jobId, 'failed', { cause: 'prestart_check_failed', explanation })
  }
}

async function reuse(tx: Database, node: RunNode): Promise<void> {
  await keepInherited(tx, node.id, await readInherited(tx, node.id))
  await tx.update(workflowJobNodes).set({ jobId: node.reuseJobId }).where(eq(workflowJobNodes.id, node.id))
  node.jobId = node.reuseJobId
  node.status = 'successful'
}

async function markDoNotRun(tx: Database, nodes: RunNode[]): Promise<void> {
  if (nodes.length === 0) return
  for (const node of nodes) node.doNotRun = true
  const ids = nodes.map(({ id }) => id)
  await tx.update(workflowJobNodes).set({ doNotRun: true }).where(anyOf(workflowJobNodes.id, ids))
}

/** Nothing new is made; what runs is to be cancelled, and when it has ended the workflow job is. */
async function cancelRun(tx: Database, row: JobRow, graph: RunGraph): Promise<Step> {
  await markDoNotRun(
    tx,
    graph.nodes.filter((node) => node.jobId === null && !node.doNotRun),
  )
  const active = graph.nodes.filter(({ status }) => status !== null && !isFinal(status))
  if (active.length > 0) {
    const cancel = active.flatMap(({ jobId, jobCancelFlag }) => (jobId === null || jobCancelFlag ? [] : jobId))
    return { ...nothing, cancel, ...settledOf(graph) }
  }
  const { job } = await transitionJob(tx, row.id, 'canceled', { cause: 'canceled' })
  return { ...nothing, ended: job, ...settledOf(graph) }
}

function settledOf({ nodes }: RunGraph): Pick<Step, 'settled' | 'nodes'> {
  const settled = nodes.filter(({ status, doNotRun }) => (status === null ? doNotRun : isFinal(status as FinalStatus)))
  return { settled: settled.length, nodes: nodes.length }
}

/** Jobs that nobody has begun yet; also those whose start got lost. */
async function startsOf(
  tx: Database,
  { nodes }: RunGraph,
  { startedUpTo, most }: StepInput,
): Promise<Pick<Step, 'starts' | 'more'>> {
  const unbegun = nodes
    .filter(({ status, jobRunId }) => status === 'pending' && jobRunId === null)
    .flatMap(({ jobId }) => (jobId !== null && jobId > startedUpTo ? jobId : []))
    .sort((one, other) => one - other)
  const ids = unbegun.slice(0, most)
  const facts = await readStartFacts(tx, ids)
  return {
    starts: ids.flatMap((id) => {
      const one = facts.get(id)
      return one ? [{ jobId: id, facts: one }] : []
    }),
    more: unbegun.length > most,
  }
}
