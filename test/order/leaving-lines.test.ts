/** A job leaves its lines while somebody who was letting it in is dead: the real workflow on the real Temporal, over activities that stand for such a worker. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from '@temporalio/worker'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { JobActivities } from '../../activities/types.ts'
import { connectTemporal, registerSearchAttributes, type TemporalLink } from '../../worker/temporal.ts'
import { installRuntime } from '../../worker/worker.ts'
import { workflowBundle } from '../../worker/workflow-bundle.ts'
import { WorkflowWorker } from '../../worker/workflow-worker.ts'
import { groupTaskQueue, jobWorkflowId, mainTaskQueue, signals, workflowTypes } from '../../workflows/names.ts'
import { ownTemporalNamespace, Undo } from '../setup/own-places.ts'

const jobId = 1
const groupId = 1
const undo = new Undo()
const happened = new EventTarget()
/** How the job ended where no play ran. */
const ends: unknown[] = []
let link: TemporalLink

/** The first try is that of a worker that dies: it neither beats nor answers. The next one lets the job in. */
let tries = 0
const admit: JobActivities['admit'] = async () => {
  if (++tries === 1) {
    happened.dispatchEvent(new Event('tried'))
    await once(happened, 'over')
  }
  return { attemptId: 1, groupId, namespace: 'anywhere', pod: 'automation-job-1-1' }
}
const activities: Partial<JobActivities> = {
  prepare: async () => ({
    ...{ jobId, title: 'a job', blocked: false, dependencies: [] },
    groups: [{ id: groupId, name: 'a group' }],
  }),
  runInPod: async () => ({ status: 'successful', cause: null, explanation: '', released: true }),
  finishJob: async ({ status, cause, explanation }) => {
    ends.push({ status, explanation })
    return { status, cause, explanation, released: true }
  },
  releasePod: async () => {},
}

beforeAll(async () => {
  const stack = inject('stack')
  const namespace = `leaving-${process.pid}`
  await ownTemporalNamespace(stack, namespace, undo)
  installRuntime(pino({ level: 'error' }))
  link = await connectTemporal({ TEMPORAL_ADDRESS: stack.temporalAddress, TEMPORAL_NAMESPACE: namespace })
  undo.add(() => link.connection.close())
  await registerSearchAttributes(link)
  const folder = await mkdtemp(join(tmpdir(), 'mayfly-leaving-'))
  undo.add(() => rm(folder, { recursive: true, force: true }))
  const { connection } = link
  const workers = await Promise.all([
    WorkflowWorker.create({
      ...{ connection, namespace, taskQueue: mainTaskQueue, activities },
      workflowBundle: await workflowBundle(folder),
    }),
    Worker.create({ connection, namespace, taskQueue: groupTaskQueue(groupId), activities: { admit } }),
  ])
  const running = Promise.all(workers.map((worker) => worker.run()))
  undo.add(async () => {
    happened.dispatchEvent(new Event('over'))
    for (const worker of workers) worker.shutdown()
    await running
  })
})
afterAll(() => undo.all())

test('what is raised while its worker is dead joins its lines again; the time-out of who was letting it in is not its end', async () => {
  const tried = once(happened, 'tried')
  const job = await link.client.workflow.start(workflowTypes.job, {
    ...{ workflowId: jobWorkflowId(jobId), args: [{ jobId }], taskQueue: mainTaskQueue },
  })
  await tried
  await job.signal(signals.raise)
  expect(await job.result().catch(String)).toMatchObject({ status: 'successful' })
  expect([tries, ends]).toEqual([2, []])
})
