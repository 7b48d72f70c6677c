/** A job leaves its lines while somebody who was letting it in is dead: the real workflow on the real Temporal, over activities that stand for such a worker. */
import { once } from 'node:events'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { JobActivities } from '../../activities/types.ts'
import type { TemporalLink } from '../../worker/temporal.ts'
import { jobWorkflowId, mainTaskQueue, signals, workflowTypes } from '../../workflows/names.ts'
import { startBareWorkers } from '../setup/bare-workers.ts'
import { Undo } from '../setup/own-places.ts'

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
  link = await startBareWorkers(inject('stack'), `leaving-${process.pid}`, undo, { activities, admit, groupId })
  // A worker ends when its activities have.
  undo.add(async () => void happened.dispatchEvent(new Event('over')))
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
