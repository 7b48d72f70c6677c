import { randomUUID } from 'node:crypto'
import { groupTaskQueue } from '../workflows/names.ts'
import type { TemporalLink } from './temporal.ts'

/** What these workflows wait for never comes: they are looked at, and deleted. */
const probes = [
  { name: 'one', priority: { priorityKey: 3, fairnessKey: 'one' } },
  { name: 'one again', priority: { priorityKey: 3, fairnessKey: 'one' } },
  { name: 'other', priority: { priorityKey: 3, fairnessKey: 'other' } },
  { name: 'urgent', priority: { priorityKey: 1, fairnessKey: 'one' } },
]
/** In case that nobody deletes them. */
const probesEndAfter = '10 seconds'
const deadlineMs = 10_000

/** What makes a server serve in order. */
export const orderRemedy =
  'Set matching.enableFairness=true, matching.numTaskqueueReadPartitions=1 and matching.numTaskqueueWritePartitions=1 in the dynamic configuration of the Temporal server, as deploy/temporal/dynamicconfig.yaml does.'

/**
 * Finds out whether the server serves tasks in the order that jobs rely on. Servers take priorities and fairness keys whether or not they heed them, and none of their
 * answers says which, so it is tried: four workflows on a queue of nobody's are polled for, and the order in which they come tells. Returns what is wrong (the
 * remedy is `orderRemedy`); nothing where all is well. Takes some tens of milliseconds and leaves nothing behind. Throws when the server cannot be asked.
 */
export async function checkOrder({ client, connection, namespace }: TemporalLink): Promise<string[]> {
  const service = connection.workflowService
  const taskQueue = `mayfly-order-${randomUUID()}`
  const started: string[] = []
  try {
    for (const { name, priority } of probes) {
      const workflowId = `${taskQueue}-${name}`
      await client.workflow.start('orderProbe', {
        workflowId,
        taskQueue,
        priority,
        workflowExecutionTimeout: probesEndAfter,
        staticSummary: 'finds out whether the server serves by priority',
      })
      started.push(workflowId)
    }
    const order: string[] = []
    await connection.withDeadline(Date.now() + deadlineMs, async () => {
      while (order.length < started.length) {
        const task = await service.pollWorkflowTaskQueue({
          namespace,
          taskQueue: { name: taskQueue },
          identity: taskQueue,
        })
        order.push(task.workflowExecution?.workflowId?.slice(taskQueue.length + 1) ?? '')
      }
    })
    const { activityTaskQueuePartitions: partitions } = await service.listTaskQueuePartitions({
      namespace,
      taskQueue: { name: groupTaskQueue(1) },
    })
    return verdictOnOrder(order, partitions?.length ?? 1)
  } finally {
    for (const workflowId of started) {
      await service.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId } }).catch(() => {})
    }
  }
}

/** What is wrong with a server that served the probes in this order and cuts a task queue into so many parts. */
export function verdictOnOrder(order: readonly string[], partitions: number): string[] {
  const problems: string[] = []
  if (order[0] !== 'urgent')
    problems.push('Temporal ignores the priority of jobs: they start in the order of their launch.')
  else if (order.indexOf('other') > order.indexOf('one again')) {
    problems.push('Temporal ignores the shares of organizations: a burst of one keeps the others waiting.')
  }
  if (partitions > 1) {
    problems.push(
      `Temporal cuts task queues into ${partitions} partitions: the order of waiting jobs holds only roughly.`,
    )
  }
  return problems
}
