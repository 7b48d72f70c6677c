/** What Temporal alone costs a job: the real workflow, over activities that do nothing. */
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { JobActivities } from '../activities/types.ts'
import { stackStatus } from '../dev/stack.ts'
import { startBareWorkers } from '../test/setup/bare-workers.ts'
import { Undo } from '../test/setup/own-places.ts'
import type { TemporalLink } from '../worker/temporal.ts'
import { jobWorkflowId, mainTaskQueue, workflowTypes } from '../workflows/names.ts'
import type { JobInput } from '../workflows/types.ts'
import { atMost, type Bench, info, type Measurement, type Say } from './bench.ts'
import { type BenchStack, startParts } from './parts.ts'
import { cpuSeconds } from './processes.ts'

const groupId = 1
const inFlight = 20
/** Jobs before those that count: caches are filled and code is compiled by then. */
const warmUp = 50

/** Workflows `job` over hollow activities, in this process: its CPU is that of the Temporal SDK. */
export const hollow: Bench = {
  name: 'hollow',
  about: '300 workflows (--jobs N) over activities that do nothing: CPU of the Temporal server and of its SDK',
  takes: 'about 30 s',
  run: ({ say, size, temporal }) =>
    Undo.after(async (undo) => measure(say, undo, await startParts(say, undo, temporal), size('jobs', 300))),
}

async function measure(say: Say, undo: Undo, stack: BenchStack, jobs: number): Promise<Measurement[]> {
  let played = 0
  const link = await startWorkers(stack, undo, () => played++)
  let started = 0
  const run = async (count: number): Promise<void> => {
    const goal = started + count
    while (played < goal) {
      if (started < goal && started - played < inFlight) await start(link, ++started)
      else await pause(1)
    }
    while ((await link.client.workflow.count('ExecutionStatus = "Running"')).count > 0) await pause(50)
  }
  await run(warmUp)
  say(`hollow: ${jobs} workflows, ${inFlight} at any time`)
  const server = await temporalPid(stack)
  const before = { server: cpuSeconds(server), sdk: process.cpuUsage(), at: performance.now() }
  await run(jobs)
  const sdk = process.cpuUsage(before.sdk)
  return [
    info('hollow.jobs', jobs / ((performance.now() - before.at) / 1000), '/s'),
    atMost('hollow.cpu.temporal', ((cpuSeconds(server) - before.server) * 1000) / jobs, 'ms of CPU a job', 35),
    atMost('hollow.cpu.sdk', (sdk.user + sdk.system) / 1000 / jobs, 'ms of CPU a job', 30),
    ...(await historyOf(link, started)),
  ]
}

/** What stands in the history of a job: unlike CPU the same on every machine. */
async function historyOf({ client }: TemporalLink, jobId: number): Promise<Measurement[]> {
  const { events } = await client.workflow.getHandle(jobWorkflowId(jobId)).fetchHistory()
  const having = (attributes: keyof NonNullable<typeof events>[number]) =>
    (events ?? []).filter((event) => event[attributes]).length
  return [
    info('hollow.history', events?.length ?? 0, 'events a job'),
    info('hollow.tasks', having('workflowTaskCompletedEventAttributes'), 'workflow tasks a job'),
    info('hollow.activities', having('activityTaskCompletedEventAttributes'), 'activities that are not local a job'),
    info(
      'hollow.attributes',
      having('upsertWorkflowSearchAttributesEventAttributes'),
      'changes of search attributes a job',
    ),
  ]
}

async function start({ client }: TemporalLink, jobId: number): Promise<void> {
  await client.workflow.start(workflowTypes.job, {
    workflowId: jobWorkflowId(jobId),
    args: [{ jobId, preparesHere: true } satisfies JobInput],
    taskQueue: mainTaskQueue,
    requestEagerStart: true,
  })
}

/** The two workers that a process has for one group, with settings that matter to what a job costs. */
async function startWorkers(stack: BenchStack, undo: Undo, played: () => void): Promise<TemporalLink> {
  const activities: Pick<JobActivities, 'prepare' | 'runInPod'> = {
    prepare: async ({ jobId }) => ({
      ...{ jobId, title: 'hollow', blocked: false, dependencies: [] },
      groups: [{ id: groupId, name: 'hollow' }],
    }),
    runInPod: async () => {
      played()
      return { status: 'successful', cause: null, explanation: '', released: true }
    },
  }
  const admit: JobActivities['admit'] = async ({ jobId }) => ({
    ...{ attemptId: jobId, groupId, pod: `automation-job-${jobId}-1` },
    namespace: 'hollow',
  })
  return await startBareWorkers(stack, `bench-${randomBytes(3).toString('hex')}`, undo, {
    ...{ activities, admit, groupId },
    main: { maxCachedWorkflows: 300 },
    group: { activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 1 } },
  })
}

async function temporalPid({ stackName, ownTemporal }: BenchStack): Promise<number> {
  if (ownTemporal) return ownTemporal.pid
  const part = (await stackStatus(stackName)).parts.find(({ part: name }) => name === 'temporal')
  if (!part) throw new Error(`the stack ${stackName} has no Temporal of its own to look at`)
  return part.pid
}
