import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
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
const probesEndAfter = '1 minute'
/** How long all of them may take to be served, and each to come to its line, in milliseconds. */
const [deadlineMs, arrivalMs] = [30_000, 3_000]
/** A server that has no order says so each time; one that has may be asked in the moment before it has read what came last. */
const tries = 3

/** What makes a server serve in order. */
export const orderRemedy =
  'Set matching.enableFairness=true, matching.numTaskqueueReadPartitions=1 and matching.numTaskqueueWritePartitions=1 in the dynamic configuration of the Temporal server, as deploy/temporal/dynamicconfig.yaml does.'

/**
 * Finds out whether the server serves tasks in the order that jobs rely on. Servers take priorities and fairness keys whether or not they heed them, and none of their
 * answers says which, so it is tried: four workflows on a queue of nobody's are polled for, and the order in which they come tells. Returns what is wrong (the
 * remedy is `orderRemedy`); nothing where all is well. Takes some tens of milliseconds and leaves nothing behind. Throws when the server cannot be asked.
 */
export async function checkOrder(link: TemporalLink): Promise<string[]> {
  const { activityTaskQueuePartitions: found } = await link.connection.workflowService.listTaskQueuePartitions({
    namespace: link.namespace,
    taskQueue: { name: groupTaskQueue(1) },
  })
  const partitions = found?.length ?? 1
  for (let left = tries; ; left--) {
    const problems = verdictOnOrder(await orderOfProbes(link, partitions), partitions)
    if (problems.length === 0 || left === 1) return problems
  }
}

/** Names of the probes as the server hands them out. */
async function orderOfProbes(link: TemporalLink, partitions: number): Promise<string[]> {
  const { client, connection, namespace } = link
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
      // Each partition counts its own, and the order of several is none anyhow.
      if (partitions === 1) await untilInLine(link, taskQueue, started.length)
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
    return order
  } finally {
    for (const workflowId of started) {
      await service.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId } }).catch(() => {})
    }
  }
}

/**
 * Resolves when so many workflows stand in a line that nobody serves: they come to it a little after they were started, and whoever asks before is given the one that came first. Gives
 * up after a while, and at once where the server does not count.
 */
async function untilInLine({ connection, namespace }: TemporalLink, taskQueue: string, count: number): Promise<void> {
  // 1: the line of workflow tasks. The statistics that came in place of this status are some seconds old.
  const line = { namespace, taskQueue: { name: taskQueue }, taskQueueType: 1, includeTaskQueueStatus: true }
  for (const end = performance.now() + arrivalMs; performance.now() < end; await pause(5)) {
    const { taskQueueStatus: status } = await connection.workflowService.describeTaskQueue(line)
    if (!status || Number(status.backlogCountHint) >= count) return
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
