/** Workers that run the real workflows on the real Temporal, over activities that stand for the real ones. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker, type WorkerOptions } from '@temporalio/worker'
import { pino } from 'pino'
import type { JobActivities } from '../../activities/types.ts'
import { connectTemporal, registerSearchAttributes, type TemporalLink } from '../../worker/temporal.ts'
import { installRuntime } from '../../worker/worker.ts'
import { workflowBundle } from '../../worker/workflow-bundle.ts'
import { WorkflowWorker } from '../../worker/workflow-worker.ts'
import { groupTaskQueue, mainTaskQueue } from '../../workflows/names.ts'
import { ownTemporalNamespace, type Undo } from './own-places.ts'
import type { TestStack } from './stack.ts'

/** What they do. */
export interface BareWorkers {
  /** Of the main task queue. */
  activities: Partial<JobActivities>
  /** Of the task queue of this group. */
  admit: JobActivities['admit']
  groupId: number
  /** Further options of the worker of the main task queue, and of the group's. */
  main?: Partial<WorkerOptions>
  group?: Partial<WorkerOptions>
}

/** Starts the two workers that a process has for one group, in a Temporal namespace of their own; `undo` ends them. */
export async function startBareWorkers(
  stack: Pick<TestStack, 'temporalAddress'>,
  namespace: string,
  undo: Undo,
  { activities, admit, groupId, main = {}, group = {} }: BareWorkers,
): Promise<TemporalLink> {
  await ownTemporalNamespace(stack, namespace, undo)
  installRuntime(pino({ level: 'error' }))
  const link = await connectTemporal({ TEMPORAL_ADDRESS: stack.temporalAddress, TEMPORAL_NAMESPACE: namespace })
  undo.add(() => link.connection.close())
  await registerSearchAttributes(link)
  const folder = await mkdtemp(join(tmpdir(), 'mayfly-bare-workers-'))
  undo.add(() => rm(folder, { recursive: true, force: true }))
  const { connection } = link
  const workers = await Promise.all([
    WorkflowWorker.create({
      ...{ connection, namespace, taskQueue: mainTaskQueue, activities, ...main },
      workflowBundle: await workflowBundle(folder),
    }),
    Worker.create({ connection, namespace, taskQueue: groupTaskQueue(groupId), activities: { admit }, ...group }),
  ])
  const running = Promise.all(workers.map((worker) => worker.run()))
  undo.add(async () => {
    for (const worker of workers) worker.shutdown()
    await running
  })
  return link
}
