import { type CompiledWorkerOptions, type Logger, Worker } from '@temporalio/worker'

/**
 * A worker whose workflows run without a time limit on each step of theirs. The SDK sets one of five seconds, and Node guards it by a thread of its own, started and ended for every
 * call into workflow code: some twenty for each job, two thirds of the time that the one workflow thread was at work
 * (docs/decisions/0025-few-round-trips-through-temporal.md). Workflow code is ours alone, does no computation, and is replayed in tests.
 */
export class WorkflowWorker extends Worker {
  protected static override createWorkflowCreator(
    bundle: Parameters<typeof Worker.createWorkflowCreator>[0],
    { isolateExecutionTimeoutMs: _unlimited, ...options }: CompiledWorkerOptions,
    logger: Logger,
  ): ReturnType<typeof Worker.createWorkflowCreator> {
    // The type wants a limit; what runs the workflows takes none as well.
    return Worker.createWorkflowCreator(bundle, options as CompiledWorkerOptions, logger)
  }
}
