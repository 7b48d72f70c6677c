import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import {
  CancellationScope,
  ChildWorkflowCancellationType,
  condition,
  continueAsNew,
  defineSignal,
  isCancellation,
  ParentClosePolicy,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow'
import type { Verdict, WorkflowStep } from '../activities/types.ts'
import { advance } from './activities.ts'
import { settle } from './job.ts'
import { signals, workflowTypeOf } from './names.ts'
import { startOptions } from './start-options.ts'
import { Story } from './story.ts'
import type { WorkflowJobInput } from './types.ts'
import { conclude } from './verdict.ts'

/** History is begun anew long before Temporal's own limits, so that a worker that takes over has little to replay. A step adds some hundred events at most. */
const longestHistory = 500

/**
 * One workflow job. What is to run is decided by `advance`, over what the database says; this only starts the jobs, as children that outlive it, and
 * waits for news of them.
 */
export async function workflowJob(input: WorkflowJobInput): Promise<Verdict> {
  const run = new Run(input)
  setHandler(defineSignal(signals.progress), () => run.hear())
  const verdict = await settle(input, () => run.toItsEnd())
  if (verdict === 'long') {
    const { runId } = workflowInfo()
    return await continueAsNew<typeof workflowJob>({ jobId: input.jobId, continues: runId })
  }
  run.story.ended(verdict)
  return conclude(verdict)
}

class Run {
  readonly story = new Story()
  readonly #input: WorkflowJobInput
  #news = true
  #startedUpTo = 0

  constructor(input: WorkflowJobInput) {
    this.#input = input
  }

  /** Something has changed: the next step looks what. Many changes at once are one. */
  hear(): void {
    this.#news = true
  }

  /** `long`: the history has become so; whoever continues finds everything in the database. */
  async toItsEnd(): Promise<Verdict | 'long'> {
    try {
      return await this.#steps(false)
    } catch (error) {
      if (!isCancellation(error)) throw error
      // Cancelled is what has no job running any more: until then its jobs are waited for.
      return await CancellationScope.nonCancellable(() => this.#steps(true))
    }
  }

  async #steps(cancel: boolean): Promise<Verdict | 'long'> {
    this.#news = true
    for (;;) {
      // A cancellation is heard here and nowhere else: a step, once begun, is done to its end, and its jobs are started.
      await condition(() => this.#news)
      this.#news = false
      const ended = await CancellationScope.nonCancellable(() => this.#step(cancel))
      if (ended) return ended
      // One that was just cancelled first writes it down: whoever continues would not know.
      const heard = cancel || !CancellationScope.current().consideredCancelled
      if (heard && isLong()) return 'long'
    }
  }

  async #step(cancel: boolean): Promise<Verdict | null> {
    const { jobId, continues = null } = this.#input
    const step = await advance({ jobId, continues, startedUpTo: this.#startedUpTo, cancel })
    if (step.ended) return step.ended
    this.story.now(step.blocked ? 'waiting for its turn' : `${step.settled} of ${step.nodes} nodes done`)
    await Promise.all(step.starts.map(startNode))
    this.#startedUpTo = Math.max(this.#startedUpTo, ...step.starts.map((start) => start.jobId))
    if (step.more) this.#news = true
    return null
  }
}

function isLong(): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo()
  return historyLength > longestHistory || continueAsNewSuggested
}

/** Starts the job of a node. It is cancelled through the store, never by the fate of this workflow. */
async function startNode({ jobId, facts }: WorkflowStep['starts'][number]): Promise<void> {
  try {
    await startChild(workflowTypeOf[facts.type], {
      ...startOptions(jobId, facts),
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
    })
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
  }
}
