import { Worker as Thread } from 'node:worker_threads'
import { type CompiledWorkerOptions, type Logger, Worker } from '@temporalio/worker'
import { ThreadedVMWorkflowCreator, WorkerThreadClient } from '@temporalio/worker/lib/workflow/threaded-vm.js'

/**
 * A worker whose workflows run in one thread of ours (workflow-thread.ts), and without a time limit on each step of theirs. The SDK sets one of five seconds, and Node guards it by a thread of its
 * own, started and ended for every call into workflow code: some twenty for each job, two thirds of the time that the workflows' thread was at work
 * (docs/decisions/0025-few-round-trips-through-temporal.md). Workflow code is ours alone, does no computation, and is replayed in tests.
 */
export class WorkflowWorker extends Worker {
  protected static override async createWorkflowCreator(
    workflowBundle: Parameters<typeof Worker.createWorkflowCreator>[0],
    { activities }: CompiledWorkerOptions,
    logger: Logger,
  ): ReturnType<typeof Worker.createWorkflowCreator> {
    const thread = new WorkerThreadClient(new Thread(new URL('./workflow-thread.ts', import.meta.url)), logger)
    const init = {
      type: 'init',
      workflowBundle,
      reuseV8Context: true,
      registeredActivityNames: new Set(activities.keys()),
      hasPatchActivationCallback: false,
    } as const
    // The type wants a limit; what runs the workflows takes none as well.
    await thread.send(init as Parameters<WorkerThreadClient['send']>[0])
    return new ThreadedVMWorkflowCreator([thread])
  }
}
