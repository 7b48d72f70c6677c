/** What an operator does to jobs in the Temporal UI, done with the calls that the UI makes. */
import { randomUUID } from 'node:crypto'
import { Client, Connection, type WorkflowExecutionDescription, type WorkflowHandle } from '@temporalio/client'
import type { ReapReport } from '../../activities/types.ts'
import { jobWorkflowId, mainTaskQueue, workflowTypes } from '../../workflows/names.ts'
import type { Mayfly } from '../setup/mayfly.ts'

/** One event of a history, as far as tests look at it. */
export interface HistoryEvent {
  id: number
  /** As in `ActivityTaskScheduled`. */
  type: string
  /** Type of the activity that was scheduled or has ended. */
  activity: string | undefined
}

export class Operator {
  readonly client: Client
  readonly #connection: Connection
  readonly #namespace: string

  private constructor(connection: Connection, namespace: string) {
    this.#connection = connection
    this.#namespace = namespace
    this.client = new Client({ connection, namespace })
  }

  static async open({ stack, temporalNamespace }: Mayfly): Promise<Operator> {
    return new Operator(await Connection.connect({ address: stack.temporalAddress }), temporalNamespace)
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  /** The current run of the job's workflow. */
  workflow(job: number): WorkflowHandle {
    return this.client.workflow.getHandle(jobWorkflowId(job))
  }

  async cancel(job: number): Promise<void> {
    await this.workflow(job).cancel()
  }

  async terminate(job: number): Promise<void> {
    await this.workflow(job).terminate('by a test')
  }

  describe(job: number): Promise<WorkflowExecutionDescription> {
    return this.workflow(job).describe()
  }

  async history(job: number): Promise<HistoryEvent[]> {
    const { events = [] } = await this.workflow(job).fetchHistory()
    const scheduled = new Map<string, string>()
    return (events ?? []).map((event) => {
      const name = event.activityTaskScheduledEventAttributes?.activityType?.name
      if (name) scheduled.set(String(event.eventId), name)
      const origin = event.activityTaskCompletedEventAttributes ?? event.activityTaskFailedEventAttributes
      const type = Object.keys(event).find((key) => key.endsWith('EventAttributes')) ?? ''
      return {
        id: Number(event.eventId),
        type: type.slice(0, 1).toUpperCase() + type.slice(1).replace(/EventAttributes$/, ''),
        activity: name ?? scheduled.get(String(origin?.scheduledEventId)),
      }
    })
  }

  /**
   * Resets the job's workflow to its first workflow task, to the one that followed its admission, or to the one that a signal caused, so that everything from
   * there on is done again. Gives the new run's id.
   */
  async reset(job: number, after?: 'admit' | 'signal'): Promise<string> {
    const history = await this.history(job)
    const from = after
      ? history.findIndex(({ type, activity }) =>
          after === 'signal'
            ? type === 'WorkflowExecutionSignaled'
            : type === 'ActivityTaskCompleted' && activity === after,
        )
      : 0
    const task = history.slice(from).find(({ type }) => type === 'WorkflowTaskCompleted')
    if (from < 0 || !task) throw new Error(`job ${job} has no such point: ${JSON.stringify(history)}`)
    const { runId } = await this.#connection.workflowService.resetWorkflowExecution({
      namespace: this.#namespace,
      workflowExecution: { workflowId: jobWorkflowId(job) },
      reason: 'by a test',
      // The generated type wants protobuf's own Long; the wire takes a plain number.
      workflowTaskFinishEventId: task.id as never,
      requestId: randomUUID(),
    })
    return runId
  }

  /** One pass of the reaper, now. */
  async reap(): Promise<ReapReport> {
    return await this.client.workflow.execute(workflowTypes.reaper, {
      taskQueue: mainTaskQueue,
      workflowId: `reaper-by-hand-${randomUUID()}`,
    })
  }
}
