import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import {
  CancellationScope,
  type ChildWorkflowOptions,
  condition,
  defineSignal,
  executeChild,
  ParentClosePolicy,
  patched,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow'
import type { Admission, PreparedJob, Verdict } from '../activities/types.ts'
import { awaitJob, finishJob, noteCancel, releasePod, runInPodOf } from './activities.ts'
import { admitToOneOf } from './admission.ts'
import { waitWhileHeld } from './hold.ts'
import { jobWorkflowId, signals, workflowTypeOf } from './names.ts'
import { prepareJob } from './preparation.ts'
import { Story } from './story.ts'
import type { JobInput } from './types.ts'
import { conclude, failedAs, verdictOf } from './verdict.ts'

/**
 * One playbook job, from launch to a pod that is gone. Prepare, wait for what must come first, get a place and a pod, run the play in it;
 * and, whatever happened, give the place back.
 */
export async function job(input: JobInput): Promise<Verdict> {
  const story = new Story()
  const verdict = await settle(input, () => runJob(input, story))
  if (verdict.held) await waitWhileHeld(input, verdict, story)
  return await giveBack(input, verdict, story)
}

/** Gives the place back, whoever cancels meanwhile, and ends the workflow by its verdict. */
export async function giveBack(input: JobInput, verdict: Verdict, story: Story): Promise<Verdict> {
  await CancellationScope.nonCancellable(async () => {
    if (!verdict.released) await releasePod(input)
    story.ended(verdict)
  })
  return conclude(verdict)
}

async function runJob(input: JobInput, story: Story): Promise<Verdict> {
  const prepared = await afterDependencies(() => prepareInTurn(input, story), story)
  return await runInGroup(input, prepared, story, () => runJob(input, story))
}

/** Prepares until nothing must come first any more. One thing may lead to the next: the project is updated first, then the job's own branch of it is fetched. */
export async function afterDependencies<Prepared extends PreparedJob>(
  prepareOnce: () => Promise<Prepared>,
  story: Story,
): Promise<Prepared> {
  let prepared = await prepareOnce()
  while (prepared.dependencies.length > 0) {
    await runDependencies(prepared, story)
    prepared = await prepareOnce()
  }
  return prepared
}

/** Gets a place and a pod, and runs the job in it; `anew` when what was prepared holds no longer, and for every further attempt. */
export async function runInGroup(
  input: JobInput,
  { groups }: PreparedJob,
  story: Story,
  anew: () => Promise<Verdict>,
): Promise<Verdict> {
  let verdict: Verdict
  try {
    story.tell(`waiting for a place in instance group ${groups.map(({ name }) => `**${name}**`).join(' or ')}`)
    const admission = await admitToOneOf(input.jobId, groups)
    story.placed(groups.find(({ id }) => id === admission.groupId)?.name ?? '')
    story.tell(`running in pod \`${admission.namespace}/${admission.pod}\``)
    verdict = await runHeard(input, admission)
  } catch (error) {
    // An operator reset this workflow to a point after `prepare`: what history says about the job is no longer true.
    if (!failedAs(error, 'stale')) throw error
    story.tell('reset: starting anew')
    return await anew()
  }
  // No history of an earlier release holds such a verdict, so this needs no patch: it is asked for with `goesOn`.
  if (!verdict.again) return verdict
  story.tell(verdict.explanation)
  return await anew()
}

/** Runs the play. Where it is this workflow that is asked to cancel, the play hears of it from the job's row: of its heartbeats there are too few. */
async function runHeard(input: JobInput, admission: Admission): Promise<Verdict> {
  let runs = true
  CancellationScope.current().cancelRequested.catch(async () => {
    // Histories of releases before it was written down have only the cancel; the branch without it may go when none of their jobs runs any more.
    if (!runs || !patched('note-cancel')) return
    await CancellationScope.nonCancellable(() => noteCancel(input)).catch(() => undefined)
  })
  try {
    return await runInPodOf(admission)({ ...input, attemptId: admission.attemptId, goesOn: true })
  } finally {
    runs = false
  }
}

/** Prepares the job when it is its turn: where its template allows one job at a time, the one that ends wakes the next. */
async function prepareInTurn(input: JobInput, story: Story): Promise<PreparedJob> {
  let news = false
  setHandler(defineSignal(signals.progress), () => {
    news = true
  })
  for (;;) {
    news = false
    const prepared = await prepareJob(input)
    if (!prepared.blocked) return prepared
    story.tell('waiting for its turn')
    await condition(() => news)
  }
}

/** Updates that must succeed first. Each is a workflow of its own; one that somebody else started is waited for, not started twice. */
async function runDependencies(prepared: PreparedJob, story: Story): Promise<void> {
  for (const dependency of prepared.dependencies) {
    story.tell(`waiting for ${dependency.kind} ${dependency.jobId} (${dependency.title})`)
    const update: JobInput = { jobId: dependency.jobId, preparesHere: true }
    const options = {
      workflowId: jobWorkflowId(dependency.jobId),
      // One that has ended meanwhile is not run once more.
      workflowIdReusePolicy: 'REJECT_DUPLICATE' as const,
      args: [update],
      memo: { installation: workflowInfo().memo?.installation },
      // An update that serves others too is not torn down with the job that happened to start it.
      parentClosePolicy: ParentClosePolicy.ABANDON,
    }
    try {
      if (dependency.shared) await runShared(workflowTypeOf[dependency.kind], options)
      else await executeChild(workflowTypeOf[dependency.kind], options)
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) await awaitJob(update)
      // How an update that failed or was cancelled ends this job is decided by `prepare`, which looks at the update's row.
      else if (CancellationScope.current().consideredCancelled) throw error
    }
  }
}

/**
 * Runs a child that goes on when this job is cancelled. It is started out of reach of a cancellation: of a child that is to be abandoned and whose start is cancelled half-way
 * nothing would ever be heard again.
 */
async function runShared(type: string, options: ChildWorkflowOptions & { args: unknown[] }): Promise<void> {
  const child = await CancellationScope.nonCancellable(() => startChild(type, options))
  await Promise.race([child.result(), CancellationScope.current().cancelRequested])
}

/**
 * Runs the main line of a job and makes sure that its row ends in a final status: either an activity stored it, or it is stored here,
 * out of reach of a cancellation. What is stored is what the workflow ends with.
 */
export async function settle<Result>(
  input: JobInput,
  mainLine: () => Promise<Verdict | Result>,
): Promise<Verdict | Result> {
  try {
    return await mainLine()
  } catch (error) {
    const { verdict, stored } = verdictOf(error, CancellationScope.current().consideredCancelled)
    if (stored) return verdict
    const { status, cause, explanation } = verdict
    return await CancellationScope.nonCancellable(() =>
      finishJob({ ...input, status, cause: cause ?? 'internal', explanation }),
    )
  }
}
